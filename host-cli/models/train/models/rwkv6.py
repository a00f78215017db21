"""RWKV-6 with the tensor names and `config.json` of RWKV/rwkv-6-world."""

import torch
import torch.nn.functional as F
from torch import nn

from .kernels import state_scan

EPSILON = 1e-5
# Low ranks: 32 and 64 at the published width of 2,560.
SHIFT_RANK, DECAY_RANK = 8, 16


def shifted(x):
    """Every token's predecessor, zero for the first; x is [B, T, C]."""
    return F.pad(x, (0, 0, 1, 0))[:, :-1]


class TimeMix(nn.Module):
    def __init__(self, cfg, layer):
        super().__init__()
        width, self.size = cfg["hidden_size"], cfg["head_size"]
        self.heads = width // self.size
        share = layer / max(cfg["num_hidden_layers"] - 1, 1)  # 0 at the first layer, 1 at the last
        channel = torch.arange(width) / width
        for stream, power in [("x", 1.0), ("w", 1.0), ("k", 1.0), ("v", 1.0), ("r", 0.5), ("g", 0.5)]:
            mixed = 1 - channel ** (power * (1 - share / 2))
            setattr(self, f"time_maa_{stream}", nn.Parameter(mixed.view(1, 1, -1)))
        self.time_maa_w1 = nn.Parameter(torch.empty(width, 5 * SHIFT_RANK).uniform_(-1e-2, 1e-2))
        self.time_maa_w2 = nn.Parameter(torch.empty(5, SHIFT_RANK, width).uniform_(-1e-1, 1e-1))
        # Rates of decay from e^-6 to e^-1 over the channels of each head.
        within = torch.arange(width) % self.size / (self.size - 1)
        self.time_decay = nn.Parameter((-6 + 5 * within ** (0.7 + 1.3 * share)).view(1, 1, -1))
        self.time_decay_w1 = nn.Parameter(torch.empty(width, DECAY_RANK).uniform_(-1e-2, 1e-2))
        self.time_decay_w2 = nn.Parameter(torch.empty(DECAY_RANK, width).uniform_(-1e-1, 1e-1))
        self.time_faaaa = nn.Parameter(torch.full((self.heads, self.size), 0.5))
        for name in ("receptance", "key", "value", "gate", "output"):
            setattr(self, name, nn.Linear(width, width, bias=False))
        self.ln_x = nn.GroupNorm(self.heads, width, eps=EPSILON * cfg["head_size_divisor"] ** 2)

    def forward(self, n):
        batch, time, width = n.shape
        delta = shifted(n) - n
        low = torch.tanh(torch.addcmul(n, delta, self.time_maa_x) @ self.time_maa_w1)
        low = low.view(batch * time, 5, SHIFT_RANK).transpose(0, 1)
        mixed = torch.bmm(low, self.time_maa_w2).view(5, batch, time, width)
        shares = (self.time_maa_w, self.time_maa_k, self.time_maa_v, self.time_maa_r, self.time_maa_g)
        w, k, v, r, g = (n + delta * (share + mix) for share, mix in zip(shares, mixed))
        decay = self.time_decay + torch.tanh(w @ self.time_decay_w1) @ self.time_decay_w2
        by_head = (batch, time, self.heads, self.size)
        r, k, v = (of(x).view(by_head) for of, x in [(self.receptance, r), (self.key, k), (self.value, v)])
        # o_t = r_t (S_{t-1} + diag(u) k_t v_t')
        o = state_scan((-decay.exp()).exp().view(by_head), k, v, r, before=True)
        o = o + (r * self.time_faaaa * k).sum(-1, keepdim=True) * v
        o = self.ln_x(o.reshape(batch * time, width)).view(batch, time, width)
        return self.output(o * F.silu(self.gate(g)))


class ChannelMix(nn.Module):
    def __init__(self, cfg, layer):
        super().__init__()
        width, hidden = cfg["hidden_size"], cfg["intermediate_size"]
        mixed = 1 - (torch.arange(width) / width) ** (1 - layer / (2 * cfg["num_hidden_layers"]))
        self.time_maa_k = nn.Parameter(mixed.view(1, 1, -1))
        self.time_maa_r = nn.Parameter(mixed.view(1, 1, -1).clone())
        self.key = nn.Linear(width, hidden, bias=False)
        self.receptance = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(hidden, width, bias=False)

    def forward(self, n):
        delta = shifted(n) - n
        k = self.key(torch.addcmul(n, delta, self.time_maa_k)).relu().square()
        r = self.receptance(torch.addcmul(n, delta, self.time_maa_r)).sigmoid()
        return r * self.value(k)


class Block(nn.Module):
    def __init__(self, cfg, layer):
        super().__init__()
        width = cfg["hidden_size"]
        if layer == 0:
            self.pre_ln = nn.LayerNorm(width, EPSILON)
        self.ln1, self.ln2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.attention, self.feed_forward = TimeMix(cfg, layer), ChannelMix(cfg, layer)

    def forward(self, x):
        x = self.pre_ln(x) if hasattr(self, "pre_ln") else x
        x = x + self.attention(self.ln1(x))
        return x + self.feed_forward(self.ln2(x))


class Rwkv(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embeddings = nn.Embedding(cfg["vocab_size"], cfg["hidden_size"])
        layers = cfg["num_hidden_layers"]
        self.blocks = nn.ModuleList(Block(cfg, layer) for layer in range(layers))
        self.ln_out = nn.LayerNorm(cfg["hidden_size"], EPSILON)


class Rwkv6Lm(nn.Module):
    """Token ids [B, T] to hidden states [B, T, d]; `head` gives logits."""

    def __init__(self, cfg):
        super().__init__()
        self.rwkv = Rwkv(cfg)
        self.head = nn.Linear(cfg["hidden_size"], cfg["vocab_size"], bias=False)
        nn.init.normal_(self.rwkv.embeddings.weight, std=0.02)
        nn.init.normal_(self.head.weight, std=0.02)
        for name, weight in self.named_parameters():
            if name.endswith(("attention.output.weight", "feed_forward.value.weight")):
                weight.data /= (2 * cfg["num_hidden_layers"]) ** 0.5

    def forward(self, ids):
        x = self.rwkv.embeddings(ids)
        for block in self.rwkv.blocks:
            x = block(x)
        return self.rwkv.ln_out(x)

    def tensors(self):
        """What the file holds."""
        return self.state_dict()
