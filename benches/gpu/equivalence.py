#!/usr/bin/env python3
"""Logits on a GPU against the goldens, the reference and the CPU backend.

    python equivalence.py --programs target/gpu --work DIR goldens
    python equivalence.py --programs target/gpu --work DIR built-in
    python equivalence.py --programs target/gpu --work DIR shapes --models DIR   # of models.py --layers 3

Of goldens the bounds are those of docs/numerics.md: 2e-3 absolute in f32, 2e-2 relative RMS in bf16. The built-in models
are compared with the reference in f64, and models of full layer shapes with the CPU backend in f32, which is far faster
and tested against the reference elsewhere: in f32 within 1e-4, in bf16 at most twice as far off as the CPU backend in bf16.
Prints a line of JSON each; exit code 1 if one is beyond its bound. With --backend cpu it tests itself. Needs NumPy.
"""
import argparse
import json
import math
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parents[2]
F32_ABSOLUTE, F32_RELATIVE, BF16_RELATIVE = 2e-3, 1e-4, 2e-2
KINDS = {"F32": numpy.float32, "F64": numpy.float64, "I64": numpy.int64}


def read(path):
    """The tensors of a safetensors file."""
    content = path.read_bytes()
    length, = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, of in header.items():
        begin, end = (8 + length + offset for offset in of["data_offsets"])
        tensors[name] = numpy.frombuffer(content[begin:end], KINDS[of["dtype"]]).reshape(of["shape"])
    return tensors


def logits(args, model, tokens, *options):
    """Of every token, by `longseq logits`."""
    name = "-".join((model.parent.name, model.name, str(len(tokens)), *options)).replace("--", "")
    output = args.work / f"{name}.safetensors"
    line = [args.programs / "longseq", "logits", "--model", model, "--output", output, *options,
            "--input-ids", ",".join(map(str, tokens))]
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{model.name} {' '.join(options)} ended with {done.returncode}: {done.stderr[-1000:]}")
    found = read(output)["logits"].astype(numpy.float64)
    output.unlink()
    return found


def relative(found, expected):
    """Root mean square of the difference, relative to that of the expected values; infinite if shapes differ."""
    if found.shape != expected.shape:
        return math.inf
    return float(numpy.sqrt(numpy.square(found - expected).sum() / numpy.square(expected).sum()))


def line(model, tokens, compute, found, expected, bound, absolute=None):
    """A comparison within its bound; NaN is within none."""
    error = relative(found, expected)
    largest = float(numpy.abs(found - expected).max()) if found.shape == expected.shape else math.inf
    within = bool(largest <= absolute if absolute else error <= bound)
    return {"equivalence": model, "tokens": tokens, "compute": compute, "relative_rms": error, "largest": largest,
            "bound": absolute or bound, "of": "largest" if absolute else "relative_rms", "within": within}


def goldens(args):
    """Tasks for every model of the fixtures that has one."""
    def compare(folder, length, compute):
        golden = read(folder / "golden.safetensors")
        found = logits(args, folder, golden[f"tokens.L{length}"], "--backend", args.backend, "--compute", compute)
        expected = golden[f"logits.L{length}"].astype(numpy.float64)
        absolute = F32_ABSOLUTE if compute == "f32" else None
        return line(folder.name, length, compute, found, expected, BF16_RELATIVE, absolute)

    files = sorted((ROOT / "tests/fixtures/models").glob("*/golden.safetensors"))
    # S4D has no golden of logits.
    folders = [file.parent for file in files if "logits.L200" in read(file)]
    return [lambda of=(folder, length, compute): [compare(*of)]
            for folder in folders for length in (1, 7, 200) for compute in ("f32", "bf16")]


def beside_cpu(args, model, tokens, oracle):
    """A model in both precisions beside the CPU backend."""
    expected = logits(args, model, tokens, *oracle)
    found = {compute: logits(args, model, tokens, "--backend", args.backend, "--compute", compute)
             for compute in ("f32", "bf16")}
    cpu = relative(logits(args, model, tokens, "--backend", "cpu", "--compute", "bf16"), expected)
    bounds = {"f32": F32_RELATIVE, "bf16": 2 * cpu}
    return [line(model.name, len(tokens), compute, found[compute], expected, bound) for compute, bound in bounds.items()]


def built_in(args):
    tokens = [i * i * 7 % 1000 for i in range(150)]
    models = sorted((ROOT / "host-cli/models/mini").iterdir())
    oracle = ("--backend", "reference", "--precision", "f64")
    return [lambda model=model: beside_cpu(args, model, tokens, oracle) for model in models]


def shapes(args):
    tokens = [i * 7919 % 1000 for i in range(130)]
    oracle = ("--backend", "cpu", "--compute", "f32")
    return [lambda model=model: beside_cpu(args, model, tokens, oracle) for model in sorted(args.models.iterdir())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("goldens", "built-in", "shapes"))
    parser.add_argument("--programs", type=Path, required=True, help="folder of longseq")
    parser.add_argument("--work", type=Path, required=True, help="folder for logits")
    parser.add_argument("--models", type=Path, help="of shapes")
    parser.add_argument("--backend", default="cuda")
    args = parser.parse_args()
    tasks = {"goldens": goldens, "built-in": built_in, "shapes": shapes}[args.what](args)
    if not tasks:
        sys.exit("there is nothing to compare")
    failed = 0

    def done(task):
        try:
            return task()
        except Exception as error:
            return error

    # Most of the time of small models is opening the GPU; large ones would take turns anyway.
    with ThreadPoolExecutor(1 if args.what == "shapes" else 4) as pool:
        for result in pool.map(done, tasks):
            if isinstance(result, Exception):
                print(f"error: {result}", flush=True)
                failed += 1
                continue
            for comparison in result:
                print(json.dumps(comparison), flush=True)
                failed += not comparison["within"]
    print(f"{failed} of the comparisons failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
