"""Draws the loss and the exactness of all runs, and keeps their logs.

    python plot.py RUNS OUT

RUNS is the folder of `all.py`; OUT gets NAME-steps.csv, NAME-scores.csv and curves.svg.
"""

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

import sizes  # noqa: E402


HEADERS = {
    "steps": "step,loss,answer_tokens_right,learning_rate,seconds",
    "scores": "step,task,length,samples,exact",
}


def rows(path):
    """A CSV file without a header, or nothing."""
    return list(csv.reader(path.open())) if path.exists() else []


def smooth(values, over=10):
    """Mean of each value and those before it."""
    return [sum(values[max(0, i - over + 1) : i + 1]) / len(values[max(0, i - over + 1) : i + 1])
            for i in range(len(values))]  # fmt: skip


def main(runs, out):
    runs, out = Path(runs), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    plt.rcParams["svg.hashsalt"] = "longseq"
    figure, (loss, right, exact) = plt.subplots(1, 3, figsize=(15, 4.5))
    for number, name in enumerate(sizes.NAMES):
        for kind, header in HEADERS.items():
            log = runs / name / f"{kind}.csv"
            if log.exists():
                (out / f"{name}-{kind}.csv").write_text(f"{header}\n{log.read_text()}")
        steps = rows(runs / name / "steps.csv")
        at = [int(row[0]) for row in steps]
        loss.plot(at, smooth([float(row[1]) for row in steps]), color=f"C{number}", label=name)
        right.plot(at, smooth([float(row[2]) for row in steps]), color=f"C{number}")
        scores = [row for row in rows(runs / name / "scores.csv") if row[2] == "512"]
        for task, line in [("niah_single_2", "-"), ("niah_multikey_1", ":"), ("vt", "--")]:
            points = [(int(row[0]), float(row[4])) for row in scores if row[1] == task]
            exact.plot(*zip(*points) if points else ([], []), line, color=f"C{number}")
    loss.set(title="weighted loss, nats", xlabel="step", yscale="log")
    right.set(title="answer tokens predicted right", xlabel="step", ylim=(0, 1))
    exact.set(title="exact answers at 512: single_2, multikey_1 (dotted), vt (dashed)", xlabel="step", ylim=(-0.02, 1.02))
    loss.legend()
    figure.tight_layout()
    figure.savefig(out / "curves.svg", metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
