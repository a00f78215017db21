"""The operations of `kernels.c` with their gradients, built by the C compiler on first use."""

import ctypes
import hashlib
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

# As in kernels.c.
SIZE, SPAN = 64, 16
COMPILER = ["cc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]


@cache
def _library():
    source = Path(__file__).with_suffix(".c")
    text = source.read_bytes() + source.with_suffix(".h").read_bytes()
    digest = hashlib.sha256(text).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"longseq-kernels-{os.getuid()}-{digest}.so"
    if not built.exists():
        part = built.with_suffix(f".{os.getpid()}")
        subprocess.run([*COMPILER, "-o", str(part), str(source)], check=True)
        part.rename(built)
    return ctypes.CDLL(str(built))


def _call(name, tensors, extents):
    kind = str(tensors[0].dtype).removeprefix("torch.")
    function = getattr(_library(), f"{name}_{kind}")
    pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
    function(*pointers, *(ctypes.c_int64(extent) for extent in extents))


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        a, b = a.contiguous(), b.contiguous()
        h = torch.empty_like(b)
        _call("scan", (a, b, h), a.shape)
        ctx.save_for_backward(a, h)
        return h

    @staticmethod
    def backward(ctx, grad_h):
        a, h = ctx.saved_tensors
        grad_a, grad_b = torch.empty_like(a), torch.empty_like(a)
        _call("scan_backward", (a, h, grad_h.contiguous(), grad_a, grad_b), a.shape)
        return grad_a, grad_b


class _Conv(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, taps, bias):
        x, taps = x.contiguous(), taps.contiguous()
        y = torch.empty_like(x)
        _call("conv", (x, taps, bias, y), (*x.shape, len(taps)))
        ctx.save_for_backward(x, taps)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        x, taps = ctx.saved_tensors
        grads = torch.zeros_like(x), torch.zeros_like(taps), x.new_zeros(x.shape[-1])
        _call("conv_backward", (x, taps, grad_y.contiguous(), *grads), (*x.shape, len(taps)))
        return grads


class _State(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, k, v, r, before):
        inputs = [part.contiguous() for part in (w, k, v, r)]
        batch, time, heads, size = v.shape
        o = torch.empty_like(inputs[0])
        kept = o.new_empty(batch * heads * -(-time // SPAN), size, size)
        _call("state", (*inputs, o, kept), (batch, time, heads, before))
        ctx.save_for_backward(*inputs, kept)
        ctx.extents = batch, time, heads, before
        return o

    @staticmethod
    def backward(ctx, grad_o):
        *inputs, kept = ctx.saved_tensors
        grads = [torch.empty_like(part) for part in inputs]
        _call("state_backward", (*inputs, kept, grad_o.contiguous(), *grads), ctx.extents)
        return *grads, None


def state_scan(w, k, v, r, before=False):
    """S_t = diag(w_t) S_{t-1} + k_t v_t' from S_{-1} = 0; o_t = r_t S_t, or r_t S_{t-1} where `before`.
    All [B, T, H, 64]."""
    assert v.shape[-1] == k.shape[-1] == SIZE
    return _State.apply(w, k, v, r, before)


def scan(a, b):
    """h_t = a_t h_{t-1} + b_t from h_{-1} = 0; a, b and h [B, T, C]."""
    return _Scan.apply(a, b)


def causal_conv(x, taps, bias):
    """y_t = bias + sum of taps[j] x_{t-j}, x before the text being 0; x [B, T, C], taps [K, C]."""
    return _Conv.apply(x, taps, bias)
