"""RecurrentGemma with transformers' tensor names and `config.json`."""

import torch
import torch.nn.functional as F
from torch import nn

from .kernels import scan
from .parts import CausalConv, RmsNorm, attend, rotary

EPSILON = 1e-6


def gelu(x):
    return F.gelu(x, approximate="tanh")


class RgLru(nn.Module):
    """h_t = a_t h_{t-1} + sqrt(1 - a_t^2) i_t v_t, log a_t = -8 r_t softplus(recurrent_param)."""

    def __init__(self, width, blocks):
        super().__init__()
        self.blocks, size = blocks, width // blocks
        for gate in ("input_gate", "recurrent_gate"):
            weight = torch.randn(blocks, size, size) * size**-0.5
            setattr(self, f"{gate}_weight", nn.Parameter(weight))
            setattr(self, f"{gate}_bias", nn.Parameter(torch.zeros(blocks, size)))
        # a = 0.9 .. 0.999 at an open gate (r = 1).
        rate = -torch.linspace(0.9, 0.999, width).log() / 8
        self.recurrent_param = nn.Parameter(torch.log(torch.expm1(rate)))

    def gate(self, name, v):
        weight, bias = getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias")
        batch, time, width = v.shape
        split = v.reshape(batch * time, self.blocks, -1).transpose(0, 1)
        out = torch.baddbmm(bias[:, None], split, weight).transpose(0, 1)
        return out.reshape(batch, time, width).sigmoid()

    def forward(self, v):
        log_a = -8 * self.gate("recurrent_gate", v) * F.softplus(self.recurrent_param)
        # The first token drops the previous state, and its factor is 1.
        kept = (-torch.expm1(2 * log_a[:, 1:])).clamp_min(1e-12).sqrt()
        kept = torch.cat([torch.ones_like(log_a[:, :1]), kept], 1)
        return scan(log_a.exp(), kept * self.gate("input_gate", v) * v)


class Recurrent(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        width, lru = cfg["hidden_size"], cfg["lru_width"]
        self.linear_y, self.linear_x = nn.Linear(width, lru), nn.Linear(width, lru)
        self.conv_1d = CausalConv(lru, cfg["conv1d_width"])
        self.rg_lru = RgLru(lru, cfg["num_attention_heads"])
        self.linear_out = nn.Linear(lru, width)

    def forward(self, x):
        gate = gelu(self.linear_y(x))
        return self.linear_out(self.rg_lru(self.conv_1d(self.linear_x(x))) * gate)


class LocalAttention(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        width, self.heads, self.head = cfg["hidden_size"], cfg["num_attention_heads"], cfg["head_dim"]
        self.rotated = int(self.head * cfg["partial_rotary_factor"])
        self.window, self.kv_heads = cfg["attention_window_size"], cfg["num_key_value_heads"]
        self.q_proj = nn.Linear(width, self.heads * self.head, bias=False)
        self.k_proj = nn.Linear(width, self.kv_heads * self.head, bias=False)
        self.v_proj = nn.Linear(width, self.kv_heads * self.head, bias=False)
        self.o_proj = nn.Linear(self.heads * self.head, width)

    def forward(self, x):
        batch, time, _ = x.shape

        def heads(part):
            return part.view(batch, time, -1, self.head).transpose(1, 2)

        q, k = rotary(heads(self.q_proj(x)), self.rotated), rotary(heads(self.k_proj(x)), self.rotated)
        out = attend(q, k, heads(self.v_proj(x)), self.window)
        return self.o_proj(out.transpose(1, 2).reshape(batch, time, -1))


class Mlp(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        width, hidden = cfg["hidden_size"], cfg["intermediate_size"] // 2
        self.gate_proj, self.up_proj = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.down_proj = nn.Linear(hidden, width)

    def forward(self, x):
        return self.down_proj(gelu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, cfg, layer):
        super().__init__()
        kinds = cfg["block_types"]
        attends = kinds[layer % len(kinds)] == "attention"
        self.temporal_pre_norm = RmsNorm(cfg["hidden_size"], EPSILON, one_plus=True)
        self.temporal_block = LocalAttention(cfg) if attends else Recurrent(cfg)
        self.channel_pre_norm = RmsNorm(cfg["hidden_size"], EPSILON, one_plus=True)
        self.mlp_block = Mlp(cfg)

    def forward(self, x):
        x = x + self.temporal_block(self.temporal_pre_norm(x))
        return x + self.mlp_block(self.channel_pre_norm(x))


class Model(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embed_tokens = nn.Embedding(cfg["vocab_size"], cfg["hidden_size"])
        self.layers = nn.ModuleList(Layer(cfg, i) for i in range(cfg["num_hidden_layers"]))
        self.final_norm = RmsNorm(cfg["hidden_size"], EPSILON, one_plus=True)


class RecurrentGemmaLm(nn.Module):
    """Token ids [B, T] to hidden states [B, T, d]; `head` gives logits."""

    def __init__(self, cfg):
        super().__init__()
        self.model = Model(cfg)
        self.cap = cfg["logits_soft_cap"]
        # The square root of the width, rounded to bfloat16 as the class does.
        self.scale = float(torch.tensor(cfg["hidden_size"] ** 0.5).bfloat16())
        nn.init.normal_(self.model.embed_tokens.weight, std=0.02)
        for name, parameter in self.named_parameters():
            if name.endswith("_proj.bias") or name.endswith(("_x.bias", "_y.bias", "_out.bias")):
                nn.init.zeros_(parameter)
            if name.endswith(("linear_out.weight", "o_proj.weight", "down_proj.weight")):
                parameter.data /= (2 * cfg["num_hidden_layers"]) ** 0.5

    def forward(self, ids):
        x = self.model.embed_tokens(ids) * self.scale
        for layer in self.model.layers:
            x = layer(x)
        return self.model.final_norm(x)

    def head(self, hidden):
        logits = hidden @ self.model.embed_tokens.weight.T
        return self.cap * torch.tanh(logits / self.cap)

    def tensors(self):
        """What the file holds: the tied head is left out, as transformers leaves it out."""
        return self.state_dict()
