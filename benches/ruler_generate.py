#!/usr/bin/env python3
"""RULER's niah.py and `longseq generate` side by side: the same prompts, start-up included.

    cargo build --release -p longseq
    benches/ruler_generate.py --ruler ~/RULER --python ~/RULER/venv/bin/python \\
        --essays corpora/PaulGrahamEssays.json --tokenizer models/gpt-neox-20b

The interpreter needs what niah.py imports, and NLTK_DATA must lead to punkt_tab. The word lists are
those of the wonderwords installed there. Both programs run once to warm the disk cache, then in
turn; after each pair the two files are compared, and unless all bytes are equal no time is reported.
The table (Markdown) goes to standard output. Standard library only.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASK = "niah_single_2"
NEEDLE_OPTIONS = {"type_haystack": "essay", "type_needle_k": "words", "type_needle_v": "numbers"}
ROOT = Path(__file__).resolve().parents[1]


def measure(command):
    """Run `command`; its wall-clock seconds, CPU seconds and peak memory in bytes."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            text = errors.read().decode(errors="replace")
            sys.exit(f"{command[:2]} ended with {process.returncode}:\n{text[-2000:]}")
    kibibyte = 1 if sys.platform == "darwin" else 1024
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * kibibyte


def ask(python, code):
    """What `code` prints in the interpreter that runs RULER."""
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def ruler_command(args, work):
    """A copy of the checkout's scripts with the essays in place, and niah.py's command line."""
    scripts = work / "scripts"
    shutil.copytree(args.ruler / "scripts", scripts)
    folder = scripts / "data" / "synthetic"
    shutil.copyfile(args.essays, folder / "json" / "PaulGrahamEssays.json")
    code = (f"import sys, json; sys.path.insert(0, {str(folder)!r}); import constants;"
            "print(json.dumps(constants.TASKS['niah']))")
    base = json.loads(ask(args.python, code))
    options = {
        "save_dir": work / "ruler",
        "save_name": TASK,
        "subset": "validation",
        "tokenizer_path": args.tokenizer,
        "tokenizer_type": "hf",
        "max_seq_length": args.length,
        "tokens_to_generate": base["tokens_to_generate"],
        "num_samples": args.samples,
        "random_seed": args.seed,
        "template": base["template"] + base["answer_prefix"],
        **NEEDLE_OPTIONS,
    }
    line = [args.python, folder / "niah.py"]
    for key, value in options.items():
        line += [f"--{key}", value]
    return [str(part) for part in line]


def longseq_command(args, work):
    assets = "import os, wonderwords; print(os.path.dirname(wonderwords.__file__))"
    words = Path(ask(args.python, assets)) / "assets"
    line = [
        args.longseq, "generate", "--profile", "ruler", "--task", TASK,
        "--max-seq-length", args.length, "--num-samples", args.samples, "--seed", args.seed,
        "--tokenizer", args.tokenizer, "--essays", args.essays, "--words", words,
        "--save-dir", work / "longseq", "--flat",
    ]
    return [str(part) for part in line]


def pair(commands, work):
    """One run of each program; the measurements, once their files are found equal."""
    measured = {}
    for name, command in commands.items():
        shutil.rmtree(work / name, ignore_errors=True)
        measured[name] = measure(command)
    files = [(work / name / TASK / "validation.jsonl").read_bytes() for name in commands]
    if files[0] != files[1]:
        sys.exit("the two programs wrote different bytes: nothing to report")
    return measured, len(files[0])


def row(name, runs):
    walls, cpus, peaks = zip(*runs)
    spread = f"{min(walls):.3f}–{max(walls):.3f}"
    wall, cpu, peak = map(statistics.median, (walls, cpus, peaks))
    return f"| {name} | {wall:.3f} | {spread} | {cpu:.3f} | {peak / 2**20:,.0f} |"


def ratio(runs, column):
    ours, theirs = (statistics.median(run[column] for run in runs[k]) for k in ("longseq", "ruler"))
    return f"1/{theirs / ours:.0f}"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    path = {"type": lambda text: Path(text).expanduser().absolute()}
    parser.add_argument("--ruler", required=True, **path, help="checkout of NVIDIA/RULER")
    parser.add_argument("--python", required=True, **path, help="interpreter with its packages")
    parser.add_argument("--essays", required=True, **path, help="PaulGrahamEssays.json")
    parser.add_argument("--tokenizer", required=True, **path, help="folder that AutoTokenizer opens")
    parser.add_argument("--longseq", default=ROOT / "target/release/longseq", **path)
    parser.add_argument("--length", type=int, default=8192)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each (default 5)")
    return parser.parse_args()


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        commands = {"ruler": ruler_command(args, work), "longseq": longseq_command(args, work)}
        pair(commands, work)
        runs = {name: [] for name in commands}
        for _ in range(args.runs):
            measured, size = pair(commands, work)
            for name, run in measured.items():
                runs[name].append(run)
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{TASK}, {args.length:,} tokens, {args.samples} samples, seed {args.seed}: "
          f"both wrote the same {size:,} bytes, {args.runs} times.")
    print(f"Load average at the end {load} on {os.cpu_count()} CPUs.\n")
    print("| program | wall, median s | wall, range s | CPU, median s | peak memory, MiB |")
    print("|---|---|---|---|---|")
    print(row("NVIDIA/RULER niah.py", runs["ruler"]))
    print(row("longseq generate", runs["longseq"]))
    print(f"| ratio | {ratio(runs, 0)} | | {ratio(runs, 1)} | {ratio(runs, 2)} |")


if __name__ == "__main__":
    main()
