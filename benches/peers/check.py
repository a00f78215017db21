#!/usr/bin/env python3
"""Whether a peer computes what longseq computes: logits of a short prompt, of the same checkpoint, both in f32.

    python check.py FAMILY PEER --out OUT --build target/release

OUT is the folder of setup.sh; PEER is torch (transformers, or the rwkv package) or llama.cpp. Prints a line of JSON
with relative_rms, the root mean square of the difference over that of the peer's logits; ends with 1 above 0.001.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numpy
from safetensors.numpy import load_file

import hf

TOKENS = [i * 7919 % 1000 for i in range(64)]
BOUND = 1e-3


def longseq(args):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "logits.safetensors"
        ids = ",".join(map(str, TOKENS))
        subprocess.run([args.build / "longseq", "logits", "--model", args.out / "models" / args.family, "--input-ids", ids,
                        "--backend", "cpu", "--compute", "f32", "--output", file],
                       check=True, stdout=subprocess.DEVNULL)
        return load_file(file)["logits"]


def llama_cpp(args):
    """Through the package's bindings to the library alone: the package itself asks for more than is installed."""
    package = args.out / "llama-cpp-python"
    os.environ["LLAMA_CPP_LIB_PATH"] = str(package / "vendor/llama.cpp/build/bin")
    sys.modules["llama_cpp"] = module = types.ModuleType("llama_cpp")
    module.__path__ = [str(package / "llama_cpp")]
    from llama_cpp import llama_cpp as library

    model = library.llama_model_load_from_file(str(args.out / "gguf" / f"{args.family}-f32.gguf").encode(),
                                               library.llama_model_default_params())
    params = library.llama_context_default_params()
    params.n_ctx = params.n_batch = len(TOKENS)
    params.type_k = params.type_v = library.GGML_TYPE_F32
    # Flash attention is timed, but would bring a difference of its own: 0.0005.
    params.flash_attn_type = library.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = library.llama_init_from_model(model, params)
    batch = library.llama_batch_init(len(TOKENS), 0, 1)
    batch.n_tokens = len(TOKENS)
    for i, token in enumerate(TOKENS):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, True
    assert library.llama_decode(context, batch) == 0
    vocabulary = library.llama_vocab_n_tokens(library.llama_model_get_vocab(model))
    logits = numpy.ctypeslib.as_array(library.llama_get_logits(context), (len(TOKENS), vocabulary))
    return logits.copy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family")
    parser.add_argument("peer", choices=("torch", "llama.cpp"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--build", type=Path, default=Path("target/release"))
    args = parser.parse_args()
    ours = longseq(args)
    if args.peer == "torch":
        theirs = hf.load(args.out / "models", args.family, "float32").logits(TOKENS)
    else:
        theirs = llama_cpp(args)
    # Mamba-2's vocabulary is padded in some layouts.
    count = min(ours.shape[1], theirs.shape[1])
    ours, theirs = (logits[:, :count].astype(numpy.float64) for logits in (ours, theirs))
    error = numpy.sqrt(numpy.mean((ours - theirs) ** 2) / numpy.mean(theirs ** 2))
    print(json.dumps({"relative_rms": error}))
    if not error <= BOUND:
        sys.exit(f"logits of longseq and {args.peer} differ by {error:.1e} with {args.family}: that is not the same model")


if __name__ == "__main__":
    main()
