#!/usr/bin/env python3
"""Tables (Markdown) of what compare.py measured, medians over rounds with least and most.

    benches/peers/table.py OUT/results.jsonl

A ratio is longseq's rate over the peer's in the same round. The share of the roof is forward's: of products in bf16
for a prompt, of reading memory for writing, both measured in the same process. Standard library only.
"""
import json
import statistics
import sys
from pathlib import Path


def read(path):
    """The records; a last line that was cut off is an error."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def number(value, digits):
    return f"{value:,.{digits}f}"


def summary(values, digits):
    if not values:
        return "–"
    least, median, most = (number(f(values), digits) for f in (min, statistics.median, max))
    return median if len(values) == 1 else f"{median} ({least}–{most})"


def digits(values):
    return 0 if values and statistics.median(values) >= 200 else 1


def row(work, records, peers):
    """Of one prompt or writing."""
    rates = {program: {r["round"]: r["rate"] for r in records if r["program"] == program and "rate" in r}
             for program in ("longseq", *peers)}
    ours = rates["longseq"]
    shares = [r["share"] for r in records if "share" in r]
    kind, count = work
    name = f"prompt of {count:,}" if kind == "prompt" else f"writing {count}"
    cells = [name, summary(list(ours.values()), digits(ours.values())),
             f"{statistics.median(shares):.0%}".replace("%", " %") if shares else "–"]
    for peer in peers:
        theirs = rates[peer]
        failed = [r["failed"] for r in records if r["program"] == peer and "failed" in r]
        both = [ours[turn] / theirs[turn] for turn in ours if turn in theirs]
        cells += [failed[0] if failed else summary(list(theirs.values()), digits(theirs.values())), summary(both, 2)]
    return "| " + " | ".join(cells) + " |"


def of_family(family, records):
    timed = [r for r in records if r.get("family") == family and "program" in r]
    peers = list(dict.fromkeys(r["program"] for r in timed if r["program"] != "longseq"))
    works = sorted({(r["kind"], r["count"]) for r in timed})
    head = [f"{family}, tokens/s", "longseq", "of the roof"]
    for peer in peers:
        head += [peer, "ratio"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for work in works:
        lines.append(row(work, [r for r in timed if (r["kind"], r["count"]) == work], peers))
    checks = [f"{r['relative_rms']:.0e} ({r['checked']})" for r in records if r.get("family") == family and "checked" in r]
    lines += ["", f"Logits of longseq and its peers in f32, relative difference: {', '.join(checks)}."]
    return lines


def extent(values, digits):
    return f"{min(values):.{digits}f}–{max(values):.{digits}f}"


def tables(records):
    head, timed = records[0], [r for r in records if "program" in r]
    if not timed:
        return "nothing was timed"
    machine = head["machine"]
    loads, busy, gflops, gigabytes = ([r[key] for r in timed if key in r]
                                      for key in ("load", "busy", "gflops", "gigabytes"))
    versions = [f"{name} {machine[name]}" for name in ("llama.cpp", "transformers", "torch", "rwkv")]
    lines = [
        f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['system']}; {head['date']}.",
        f"{machine['threads']} threads, bf16; longseq {head['longseq']}; {'; '.join(versions)}.",
        f"Rounds: {max(r['round'] for r in timed)}; medians (least–most). "
        f"Roof {extent(gflops, 0)} GFLOP/s, {extent(gigabytes, 0)} GB/s.",
        f"Before each measurement others kept {extent(busy, 1)} CPUs busy, median {statistics.median(busy):.1f}; "
        f"the load average, which has the measurement before in it, was {extent(loads, 1)}.",
    ]
    for family in dict.fromkeys(r["family"] for r in timed):
        lines += ["", *of_family(family, records)]
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(tables(read(sys.argv[1])))
