"""Mamba2, Mamba2 with attention, and Transformer++, with mamba_ssm's tensor names and `config.json`."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .kernels import state_scan
from .parts import CausalConv, RmsNorm, attend, rotary

EPSILON = 1e-5


class Mamba2(nn.Module):
    """The SSD mixer: `ssm_cfg` of config.json, one group."""

    def __init__(self, width, cfg):
        super().__init__()
        self.inner, self.head, self.state = 2 * width, cfg["headdim"], cfg["d_state"]
        self.heads = self.inner // self.head
        self.in_proj = nn.Linear(width, 2 * self.inner + 2 * self.state + self.heads, bias=False)
        self.conv1d = CausalConv(self.inner + 2 * self.state, 4)
        # A head's state lasts 1 / (step * rate) tokens: from 10 to some thousands. mamba_ssm draws rates from
        # 1 to 16, which leaves four heads without any that lasts a prompt.
        step = torch.logspace(-1.7, -1, self.heads)
        self.dt_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))
        self.A_log = nn.Parameter(torch.logspace(-2, 0, self.heads).log())
        self.D = nn.Parameter(torch.ones(self.heads))
        self.norm = RmsNorm(self.inner, EPSILON)
        self.out_proj = nn.Linear(self.inner, width, bias=False)

    def forward(self, u):
        batch, time, _ = u.shape
        z, xbc, dt = self.in_proj(u).split(
            [self.inner, self.inner + 2 * self.state, self.heads], -1
        )
        x, b, c = F.silu(self.conv1d(xbc)).split([self.inner, self.state, self.state], -1)
        x = x.reshape(batch, time, self.heads, self.head)
        dt = F.softplus(dt + self.dt_bias)[..., None]
        # S_t = exp(dt_t A) S_{t-1} + dt_t b_t x_t', y_t = c_t S_t; b and c are the same in all heads.
        by_head = (batch, time, self.heads, self.state)
        decay = (dt * -self.A_log.exp()[:, None]).exp().expand(by_head)
        b, c = b[:, :, None].expand(by_head), c[:, :, None].expand(by_head)
        y = state_scan(decay, b, dt * x, c)
        y = (y + self.D[:, None] * x).reshape(batch, time, self.inner)
        return self.out_proj(self.norm(y * F.silu(z)))


class Mha(nn.Module):
    """The attention mixer: `attn_cfg` of config.json, as many key heads as query heads."""

    def __init__(self, width, cfg):
        super().__init__()
        self.heads, self.head, self.rotated = cfg["num_heads"], cfg["head_dim"], cfg["rotary_emb_dim"]
        inner = self.heads * self.head
        self.in_proj = nn.Linear(width, 3 * inner, bias=False)
        if cfg["d_conv"]:
            self.conv1d = CausalConv(3 * inner, cfg["d_conv"])
        self.out_proj = nn.Linear(inner, width, bias=False)

    def forward(self, u):
        batch, time, _ = u.shape
        qkv = self.in_proj(u)
        if hasattr(self, "conv1d"):
            qkv = self.conv1d(qkv)
        q, k, v = qkv.view(batch, time, 3, self.heads, self.head).permute(2, 0, 3, 1, 4)
        out = attend(rotary(q, self.rotated), rotary(k, self.rotated), v)
        return self.out_proj(out.transpose(1, 2).reshape(batch, time, -1))


class GatedMlp(nn.Module):
    """fc1 gives values, then gates."""

    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = nn.Linear(width, 2 * hidden, bias=False)
        self.fc2 = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        value, gate = self.fc1(x).chunk(2, -1)
        return self.fc2(value * F.silu(gate))


class Block(nn.Module):
    def __init__(self, cfg, layer):
        super().__init__()
        width = cfg["d_model"]
        attends = layer in cfg["attn_layer_idx"]
        self.norm = RmsNorm(width, EPSILON)
        self.mixer = Mha(width, cfg["attn_cfg"]) if attends else Mamba2(width, cfg["ssm_cfg"])
        if cfg["d_intermediate"]:
            self.norm2 = RmsNorm(width, EPSILON)
            self.mlp = GatedMlp(width, cfg["d_intermediate"])

    def forward(self, x):
        x = x + self.mixer(self.norm(x))
        return x + self.mlp(self.norm2(x)) if hasattr(self, "mlp") else x


class Backbone(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embedding = nn.Embedding(cfg["vocab_size"], cfg["d_model"])
        self.layers = nn.ModuleList(Block(cfg, layer) for layer in range(cfg["n_layer"]))
        self.norm_f = RmsNorm(cfg["d_model"], EPSILON)


class MambaLm(nn.Module):
    """Token ids [B, T] to hidden states [B, T, d]; `head` gives logits."""

    def __init__(self, cfg):
        super().__init__()
        self.backbone = Backbone(cfg)
        nn.init.normal_(self.backbone.embedding.weight, std=0.02)
        for name, weight in self.named_parameters():
            # Maps back to the residual stream, as mamba_ssm scales them.
            if name.endswith(("out_proj.weight", "fc2.weight")):
                weight.data /= math.sqrt(cfg["n_layer"] * (2 if cfg["d_intermediate"] else 1))

    def forward(self, ids):
        x = self.backbone.embedding(ids)
        for layer in self.backbone.layers:
            x = layer(x)
        return self.backbone.norm_f(x)

    def head(self, hidden):
        return hidden @ self.backbone.embedding.weight.T

    def tensors(self):
        """What the file holds: the head is the embedding's tensor once more."""
        state = self.state_dict()
        return state | {"lm_head.weight": state["backbone.embedding.weight"]}
