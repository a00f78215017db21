"""Muon (Jordan 2024) for the matrices of the layers, AdamW for everything else.

Muon steps along the nearest orthogonal matrix to the momentum, so that rare directions, of which a
recall of single tokens is made, move as much as the frequent ones.
"""

import torch

MOMENTUM = 0.95
# A Newton-Schulz iteration towards singular values of 1 that gets near in five steps.
QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonal(matrices):
    """The nearest orthogonal matrices, roughly; [K, rows, columns]."""
    a, b, c = QUINTIC
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Steps of the size that AdamW's have at the same learning rate: RMS 0.2."""

    def __init__(self, matrices, weight_decay):
        super().__init__(matrices, {"lr": 0.0, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for weight in group["params"]:
                momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                momentum.lerp_(weight.grad, 1 - MOMENTUM)
                ahead = weight.grad.lerp(momentum, MOMENTUM)
                by_shape.setdefault(weight.shape, []).append((weight, ahead))
            for (rows, columns), pairs in by_shape.items():
                steps = orthogonal(torch.stack([ahead for _, ahead in pairs]))
                size = 0.2 * max(rows, columns) ** 0.5 * group["lr"]
                for (weight, _), step in zip(pairs, steps):
                    weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(step, alpha=size)
