#!/usr/bin/env python3
"""Tables (Markdown) of what run.sh measured.

    benches/gpu/table.py OUT/results.jsonl

Standard library only.
"""
import json
import statistics
import sys
from pathlib import Path


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(share):
    return f"{share * 100:.0f} %"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
            *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def spread(rates):
    median = statistics.median(rates)
    return f"{number(median)} ({number(min(rates))}–{number(max(rates))})"


def first(records, key):
    return next((record for record in records if key in record), {})


def head(records):
    run, gpu, machine = first(records, "date"), first(records, "free_bytes"), first(records, "threads")
    backend = gpu.get("backend") or machine.get("backend", "no backend")
    return [f"{run.get('device')}; {backend}; {run.get('date')}; longseq {run.get('commit')}. "
            f"The GPU and its kernels were there after {run.get('opened_after_seconds')} s.", ""]


def steps(records):
    codes = {0: "done", 3: "no GPU, not run", 124: "out of time", 137: "out of time"}
    rows = [(r["step"], codes.get(r["code"], f"failed, {r['code']}"), r["seconds"]) for r in records if "step" in r]
    return ["## Steps", "", *table(("step", "result", "seconds"), rows)]


def equivalence(records):
    rows = [(r["equivalence"], r["tokens"], r["compute"], f"{r['relative_rms']:.1e}", f"{r['largest']:.1e}",
             f"{r['bound']:.1e} {r['of'].replace('_', ' ')}", "yes" if r["within"] else "**no**")
            for r in records if "equivalence" in r]
    head = ("model", "tokens", "compute", "relative RMS", "largest difference", "bound", "within")
    return ["## Equivalence", "", *table(head, rows)] if rows else []


def ceilings(records):
    copy = first((r for r in records if r.get("ceiling") == "copy"), "gigabytes").get("gigabytes")
    products = [r for r in records if r.get("ceiling") == "product"]
    if not copy and not products:
        return []
    rows = [(f"{r['rows']} × {r['inputs']} → {r['outputs']}", number(r["microseconds"], 1), number(r["gflops"] / 1e3, 1),
             number(r["weight_gigabytes"])) for r in products]
    return ["## Ceilings", "", f"Copy, read and written: {number(copy)} GB/s. Products of random numbers in bf16, summed in f32:", "",
            *table(("product", "µs", "TFLOP/s", "GB/s of the weight"), rows)]


def by_model(records):
    """What forward printed, each with the head line above it."""
    models, current = [], None
    for record in records:
        if "threads" in record:
            current = (record, [])
            models.append(current)
        elif "step" in record:
            current = None
        elif current and "work" in record and "peer" not in record:
            current[1].append(record)
    return models


def speed(records):
    peers = {(r["family"], r["work"]): r for r in records if "peer" in r and "work" in r}
    lines = []
    for machine, works in by_model(records):
        name = Path(machine["model"]).name
        lines += [f"## {name}", "", f"Ceilings in the same process: {number(machine['gflops'] / 1e3)} TFLOP/s, "
                  f"{number(machine['gigabytes'])} GB/s.", ""]
        rows = []
        for work in (w for w in works if "kernel" not in w):
            peer = peers.get((name, work["work"]))
            ratio = peer and statistics.median(work["tokens_per_second"]) / statistics.median(peer["tokens_per_second"])
            rows.append((work["work"], spread(work["tokens_per_second"]), percent(work["share"]),
                         f"{peer['peer']}: {spread(peer['tokens_per_second'])}" if peer else "–", number(ratio, 2)))
        lines += table(("", "tokens/s", "of the ceiling", "peer, tokens/s", "ratio"), rows)
        lines += kernels(machine, [w for w in works if "kernel" in w])
    return lines


def kernels(machine, measured):
    lines = []
    for work in dict.fromkeys(r["work"] for r in measured):
        of = sorted((r for r in measured if r["work"] == work), key=lambda r: -r["microseconds"])
        total = sum(r["microseconds"] for r in of)
        rows = [(r["kernel"], r["calls"], number(r["microseconds"]), percent(r["microseconds"] / total),
                 number(r["microseconds"] / r["tokens"], 3),
                 share(machine, r)) for r in of]
        lines += [f"{work}, {number(total / 1e3, 1)} ms in kernels:", "",
                  *table(("kernel", "calls", "µs", "of all", "µs a token, all layers", "of the roof"), rows)]
    return lines


def share(machine, kernel):
    """Of the roof over a kernel, and what that roof is."""
    if kernel["share"] is None:
        return "–"
    of_products = kernel["flops"] / machine["gflops"] > kernel["bytes"] / machine["gigabytes"]
    return f"{percent(kernel['share'])}, {'products' if of_products else 'memory'}"


def skipped(records):
    return [f"{r['peer']} was skipped: {r['skipped']}\n" for r in records if "skipped" in r]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    records = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    parts = (head, steps, equivalence, ceilings, speed, skipped)
    print("\n".join(line for part in parts for line in part(records)))


if __name__ == "__main__":
    main()
