#!/usr/bin/env python3
"""longseq and its peers side by side: one program after the other, each measurement a fresh process.

    cargo build --release -p longseq -p longseq-benches
    benches/peers/setup.sh OUT
    benches/peers/compare.py OUT [--families llama,rwkv6] [--lengths 512,2048] [--rounds 5]

In each round, each family and each prompt or writing the programs take turns, so that load of others meets them all
alike. First logits are compared (check.py), and nothing is timed of a peer that computes something else. What was
measured is appended to OUT/results.jsonl: the same command goes on where it stopped, and another machine or build is
refused there. At the end the tables are printed (table.py). Standard library only.
"""
import argparse
import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Transformers has no RWKV-6, llama.cpp no RecurrentGemma.
PEERS = {
    "llama": ("llama.cpp", "transformers"),
    "mamba2": ("llama.cpp", "transformers"),
    "rwkv6": ("llama.cpp", "rwkv"),
    "recurrentgemma": ("transformers",),
}


def python(args):
    return args.out / "venv/bin/python"


def run(line, timeout=None):
    """The lines of JSON that a program prints; it may not fail."""
    line = list(map(str, line))
    done = subprocess.run(line, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        sys.exit(f"{' '.join(line)} ended with {done.returncode}:\n{done.stdout}{done.stderr[-2000:]}")
    return [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]


def longseq(args, family, kind, count):
    work = ["--lengths", count, "--written", 0] if kind == "prompt" else ["--lengths", "--written", count]
    machine, timed = run([args.build / "forward", args.out / "models" / family, "--json", "--runs", 1,
                          "--threads", args.threads, *work])
    return {"rate": timed["tokens_per_second"][0], "share": timed["share"],
            "gflops": machine["gflops"], "gigabytes": machine["gigabytes"]}


def llama_cpp(args, family, kind, count):
    work = ["-p", count, "-n", 0] if kind == "prompt" else ["-p", 0, "-n", count, "-d", 16]
    timed, = run([args.out / "llama-cpp-python/vendor/llama.cpp/build/bin/llama-bench", "-o", "jsonl", "-r", 1, "-fa", "on",
                  "-t", args.threads, "-m", args.out / "gguf" / f"{family}-bf16.gguf", *work], args.budget)
    return {"rate": timed["samples_ts"][0]}


def torch(args, family, kind, count):
    work = ["--prompt" if kind == "prompt" else "--write", count]
    timed, = run([python(args), HERE / "hf.py", family, "--models", args.out / "models",
                  "--threads", args.threads, *work], args.budget)
    return {"rate": timed["tokens_per_second"][0]}


PROGRAMS = {"longseq": longseq, "llama.cpp": llama_cpp, "transformers": torch, "rwkv": torch}


def measure(args, program, family, kind, count):
    """A rate, or why there is none: it takes too long. Other failures end the run."""
    try:
        return PROGRAMS[program](args, family, kind, count)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {args.budget} s"}


def busy(seconds=0.5):
    """How many CPUs others keep busy. The load average does not tell: it has the last measurement in it."""
    def ticks():
        user, nice, system, _idle, _wait, *others = map(int, Path("/proc/stat").read_text().split()[1:9])
        return user + nice + system + sum(others)

    start = ticks()
    time.sleep(seconds)
    return (ticks() - start) / os.sysconf("SC_CLK_TCK") / seconds


def machine(args):
    """What may not change within a file of results."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(map(str.strip, line.split(":", 1)) for line in reversed(info) if ":" in line)
    code = ("import importlib.metadata as m, json;"
            "print(json.dumps({name: m.version(name) for name in ('torch', 'transformers', 'rwkv')}))")
    versions, = run([python(args), "-c", code])
    package = (args.out / "llama-cpp-python/llama_cpp/__init__.py").read_text()
    return {
        "cpu": f"{fields['model name']} (family {fields['cpu family']}, model {fields['model']})",
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "threads": args.threads,
        "forward": hashlib.sha256((args.build / "forward").read_bytes()).hexdigest(),
        "llama.cpp": "in llama-cpp-python " + package.split('__version__ = "')[1].split('"')[0],
        **versions,
    }


def arguments():
    def several(text):
        return text.split(",")

    def path(text):
        return Path(text).expanduser().absolute()

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=path, help="folder of setup.sh")
    parser.add_argument("--families", type=several, default=list(PEERS), help="default: all")
    parser.add_argument("--lengths", type=lambda text: list(map(int, several(text))), default=[512, 2048, 8192],
                        help="of prompts, in tokens (default 512,2048,8192)")
    parser.add_argument("--written", type=int, default=32, help="tokens written one by one; 0 for none (default 32)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--budget", type=int, default=300, metavar="SECONDS",
                        help="a peer that takes longer for a measurement is left out of it (default 300)")
    parser.add_argument("--build", type=path, default=ROOT / "target/release", help="folder of forward and longseq")
    parser.add_argument("--results", type=path, help="default: OUT/results.jsonl")
    args = parser.parse_args()
    args.results = args.results or args.out / "results.jsonl"
    if unknown := set(args.families) - set(PEERS):
        parser.error(f"no family {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return args


def main():
    args = arguments()
    records = table.read(args.results) if args.results.exists() else []

    def append(record):
        records.append(record)
        with args.results.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), file=sys.stderr)

    here = machine(args)
    if not records:
        commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
        append({"machine": here, "date": datetime.date.today().isoformat(), "longseq": commit.stdout.strip()})
    elif (there := records[0]["machine"]) != here:
        differ = [f"{key}: {there.get(key)}, now {value}" for key, value in here.items() if there.get(key) != value]
        sys.exit(f"{args.results} was measured with other programs or elsewhere; name another file with --results\n"
                 + "\n".join(differ))
    for family in args.families:
        for peer in PEERS[family]:
            if not any(record.get("checked") == peer and record["family"] == family for record in records):
                kind = peer if peer == "llama.cpp" else "torch"
                checked, = run([python(args), HERE / "check.py", family, kind, "--out", args.out, "--build", args.build])
                append({"checked": peer, "family": family, **checked})
    works = [("prompt", length) for length in args.lengths] + [("writing", args.written)] * (args.written > 0)
    for turn in range(1, args.rounds + 1):
        for family in args.families:
            for kind, count in works:
                for program in ("longseq", *PEERS[family]):
                    key = {"family": family, "kind": kind, "count": count, "program": program}
                    if any(key.items() <= record.items() and ("failed" in record or record["round"] == turn)
                           for record in records):
                        continue
                    others = {"round": turn, "load": os.getloadavg()[0], "busy": busy()}
                    append({**key, **others, **measure(args, program, family, kind, count)})
    print(table.tables(records))


if __name__ == "__main__":
    main()
