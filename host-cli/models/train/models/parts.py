"""What several families share: norms, the causal convolution, rotary positions, causal attention."""

import torch
import torch.nn.functional as F
from torch import nn

from .kernels import causal_conv


class RmsNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * w; `one_plus` multiplies by (1 + w), as RecurrentGemma does."""

    def __init__(self, width, eps, one_plus=False):
        super().__init__()
        self.eps, self.one_plus = eps, one_plus
        self.weight = nn.Parameter(torch.zeros(width) if one_plus else torch.ones(width))

    def forward(self, x):
        weight = 1 + self.weight if self.one_plus else self.weight
        return F.rms_norm(x, x.shape[-1:], weight, self.eps)


class CausalConv(nn.Module):
    """Depthwise, left-padded with zeros: `weight` [C, 1, K], `bias` [C]; x is [B, T, C]."""

    def __init__(self, channels, width):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, width).uniform_(-1, 1) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        # The last weight is the current token's.
        return causal_conv(x, self.weight[:, 0].T.flip(0), self.bias)


def rotary(x, rotated, base=10_000.0):
    """Rotates the first `rotated` dims of each head (halves, as NeoX); x is [B, H, T, D]."""
    if rotated == 0:
        return x
    time, half = x.shape[2], rotated // 2
    rates = base ** (-torch.arange(0, rotated, 2, dtype=torch.float32, device=x.device) / rotated)
    angles = torch.arange(time, dtype=torch.float32, device=x.device)[:, None] * rates
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b, rest = x[..., :half], x[..., half:rotated], x[..., rotated:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin, rest], -1)


def attend(q, k, v, window=None):
    """Causal attention, [B, H, T, D]; keys and values may have one head for all queries.
    With a window of W a query sees itself and the W - 1 tokens before it."""
    heads = q.shape[1]
    if k.shape[1] != heads:
        k, v = k.expand(-1, heads, -1, -1), v.expand(-1, heads, -1, -1)
    time = q.shape[2]
    if window is None or time <= window:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    age = torch.arange(time)[:, None] - torch.arange(time)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=(age >= 0) & (age < window))
