"""Checks that what is trained is what `longseq` computes, before any training.

    python check.py LONGSEQ [NAME...]

A freshly initialised model of each family, its vectors shaken so that none is a constant, is written as its
checkpoint in float32 and read by `longseq logits --backend reference --precision f64`; the logits of 600 random ids
(more than RecurrentGemma's window, and no whole number of chunks) must agree. The gradients of
the compiled kernels are compared with finite differences.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file

import export
import sizes
from models.kernels import causal_conv, scan, state_scan

TOKENS = 600
BOUND = 1e-5


def shaken(name):
    """A model whose every tensor matters: biases, norms and rates are not what they begin as."""
    torch.manual_seed(7)
    model = sizes.build(name)
    for weight in model.parameters():
        weight.data += 0.1 * weight.data.std().nan_to_num(0).clamp_min(0.5) * torch.randn_like(weight)
    return model


def error(longseq, name):
    """Relative RMS error of the logits."""
    model = shaken(name)
    ids = torch.randint(sizes.TOKENS, (TOKENS,))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        export.write(name, model, None, folder, torch.float32)
        (folder / "ids.json").write_text(json.dumps(ids.tolist()))
        command = [longseq, "logits", "--model", folder, "--input-ids-file", folder / "ids.json",
                   "--precision", "f64", "--output", folder / "logits.safetensors"]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        expected = load_file(folder / "logits.safetensors")["logits"]
    with torch.no_grad():
        found = model.head(model(ids[None]))[0]
    return ((found - expected).square().mean() / expected.square().mean()).sqrt().item()


def main(longseq, *names):
    a = torch.rand(2, 9, 5, dtype=torch.float64, requires_grad=True)
    b = torch.randn(2, 9, 5, dtype=torch.float64, requires_grad=True)
    taps, bias = torch.randn(4, 5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    assert torch.autograd.gradcheck(scan, (a, b))
    assert torch.autograd.gradcheck(causal_conv, (b, taps.requires_grad_(), bias.requires_grad_()))
    # One token more than the span from which the kernel begins again.
    parts = [torch.rand(1, 17, 1, 64, dtype=torch.float64, requires_grad=True) for _ in range(4)]
    for before in (False, True):
        assert torch.autograd.gradcheck(state_scan, (*parts, before), fast_mode=True)
    print("kernels: gradients agree with finite differences")
    failed = False
    for name in names or sizes.NAMES:
        found = error(longseq, name)
        failed |= not found < BOUND
        print(f"{name:16} relative RMS error {found:.2e}{'' if found < BOUND else '  TOO LARGE'}")
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
