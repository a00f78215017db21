#!/usr/bin/env python3
"""What computing in bf16 costs: relative RMS of logits against those of f64, transformers' and longseq's.

    python rounding.py MODEL... --build target/release

Each MODEL is the folder of a tiny checkpoint that transformers reads, with golden.safetensors beside it, as
tests/fixtures/models/sheared-llama. Prints a Markdown table.
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM


def off(logits, golden):
    return float((logits - golden).square().mean().sqrt() / golden.square().mean().sqrt())


def transformers(model, tokens):
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16).eval()
    with torch.no_grad():
        return network(tokens[None]).logits[0].double()


def longseq(build, model, tokens):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "logits.safetensors"
        ids = ",".join(map(str, tokens.tolist()))
        subprocess.run([build / "longseq", "logits", "--model", model, "--input-ids", ids, "--backend", "cpu",
                        "--compute", "bf16", "--output", file], check=True, capture_output=True)
        return load_file(file)["logits"].double()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--build", type=Path, required=True)
    args = parser.parse_args()
    print("| model | tokens | transformers, bf16 | longseq, bf16 |\n|---|---|---|---|")
    for model in args.models:
        golden = load_file(model / "golden.safetensors")
        for length in (64, 200):
            tokens, logits = golden[f"tokens.L{length}"], golden[f"logits.L{length}"].double()
            theirs, ours = off(transformers(model, tokens), logits), off(longseq(args.build, model, tokens), logits)
            print(f"| {model.name} | {length} | {theirs:.1e} | {ours:.1e} |", flush=True)


if __name__ == "__main__":
    main()
