#!/usr/bin/env python3
"""`longseq run` with and without its exact savings: shared prefixes, and answers ended once their score is decided.

    cargo build --release -p longseq
    python benches/savings.py --out savings [--rounds 5] [--samples 50] [--lengths 512 1024 2048]

What they save depends on the model: one that answers right and then writes on, as published checkpoints of these
families do, is where it shows. The built-in Mamba2 does that, but is too small for its time to be that of a model. So
it is made as large as mamba2-130m (768 wide, 24 layers, 50,288 token ids) without a change to what it computes: new
channels are zeros, new layers add nothing, new token ids are copies of others, which have higher ids and never win.

Both runs are of the same prompts, RULER's own sizes, taken in turn; unless every sample scores the same no time is
reported. The table (Markdown) goes to standard output. Needs torch and safetensors.
"""
import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[1]
SMALL = ROOT / "host-cli/models/mini/mamba2"
TASKS = "niah_single_1,niah_single_2"
WITHOUT = ["--no-shared-prefix", "--no-decided-stop"]
WIDTH, LAYERS, TOKENS, STATE, HEAD = 768, 24, 50288, 128, 64
INNER = 2 * WIDTH


def padded(tensor, *shape):
    """The tensor in a corner of zeros."""
    out = torch.zeros(shape, dtype=torch.float32)
    out[tuple(slice(0, size) for size in tensor.shape)] = tensor.float()
    return out


def norm_weight(weight, width):
    """Of a norm over more channels, of which the new ones are zeros: the mean square is that much smaller."""
    return padded(weight, width) * math.sqrt(weight.numel() / width)


def parts(tensor, small, large):
    """Rows that lie one part after the other, each part padded."""
    pieces = tensor.float().split(small)
    return torch.cat([padded(piece, size, *piece.shape[1:]) for piece, size in zip(pieces, large)])


def grown(out):
    """Writes the large model."""
    config = json.loads((SMALL / "config.json").read_text())
    small = torch.load(SMALL / "pytorch_model.bin", map_location="cpu", weights_only=True)
    width, layers = config["d_model"], config["n_layer"]
    inner, state = 2 * width, config["ssm_cfg"]["d_state"]
    heads = inner // HEAD
    mixed = ([inner, state, state], [INNER, STATE, STATE])
    tensors = {"backbone.norm_f.weight": norm_weight(small["backbone.norm_f.weight"], WIDTH)}
    table = small["backbone.embedding.weight"]
    tensors["backbone.embedding.weight"] = padded(table, len(table), WIDTH)[torch.arange(TOKENS) % len(table)]
    for layer in range(LAYERS):
        of = {}
        # A layer whose projections are zeros adds nothing.
        prefix = f"backbone.layers.{min(layer, layers - 1)}."
        for name, tensor in small.items():
            if name.startswith(prefix):
                of[name.removeprefix(prefix)] = tensor if layer < layers else torch.zeros_like(tensor)
        stem = f"backbone.layers.{layer}."
        tensors[f"{stem}norm.weight"] = norm_weight(of["norm.weight"], WIDTH)
        in_proj = padded(of["mixer.in_proj.weight"], len(of["mixer.in_proj.weight"]), WIDTH)
        rows = [[inner, *sizes, last] for inner, sizes, last in
                [(inner, mixed[0], heads), (INNER, mixed[1], INNER // HEAD)]]
        tensors[f"{stem}mixer.in_proj.weight"] = parts(in_proj, *rows)
        for name in ("weight", "bias"):
            tensors[f"{stem}mixer.conv1d.{name}"] = parts(of[f"mixer.conv1d.{name}"], *mixed)
        for name in ("dt_bias", "A_log", "D"):
            tensors[f"{stem}mixer.{name}"] = padded(of[f"mixer.{name}"], INNER // HEAD)
        tensors[f"{stem}mixer.norm.weight"] = norm_weight(of["mixer.norm.weight"], INNER)
        tensors[f"{stem}mixer.out_proj.weight"] = padded(of["mixer.out_proj.weight"], WIDTH, INNER)
    out.mkdir(parents=True)
    config |= dict(d_model=WIDTH, n_layer=LAYERS, vocab_size=TOKENS, ssm_cfg={"layer": "Mamba2"})
    (out / "config.json").write_text(json.dumps(config))
    shutil.copyfile(SMALL / "tokenizer.json", out / "tokenizer.json")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out / "model.safetensors")


def run(args, length, run_folder, options):
    """One run: its seconds, and what share of the references each sample found."""
    shutil.rmtree(run_folder, ignore_errors=True)
    command = [args.longseq, "run", "--model", args.out / "model", "--tasks", TASKS, "--lengths", str(length),
               "--samples", str(args.samples), "--fit", "shrink", "--compute", "bf16", "--backend", "cpu",
               "--out", run_folder, *options]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    scores = {}
    for file in sorted(run_folder.glob("predictions/**/*.jsonl")):
        for line in file.read_text().splitlines():
            sample = json.loads(line)
            found = [reference.lower() in sample["pred"].lower() for reference in sample["outputs"]]
            scores[file.name, sample["others"]["sample"]] = sum(found) / len(found)
    return seconds, scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--longseq", type=Path, default=ROOT / "target/release/longseq")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the model and the runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=50, help="of each task")
    parser.add_argument("--lengths", type=int, nargs="+", default=[512, 1024, 2048])
    args = parser.parse_args()
    if not (args.out / "model").exists():
        grown(args.out / "model")
    print("| tokens | right | with, s | without, s | ratio |\n|---|---|---|---|---|")
    for length in args.lengths:
        times = []
        for _ in range(args.rounds):
            saving, scores = run(args, length, args.out / "with", [])
            plain, plain_scores = run(args, length, args.out / "without", WITHOUT)
            if not scores or scores != plain_scores:
                sys.exit(f"the scores of {args.out}/with and {args.out}/without differ")
            times.append((saving, plain))
        right = statistics.fmean(scores.values())
        columns = [f"{statistics.median(of):.1f} ({min(of):.1f}–{max(of):.1f})" for of in zip(*times)]
        ratios = [plain / saving for saving, plain in times]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        print(f"| {length:,} | {right:.0%} | {' | '.join(columns)} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
