"""Runs the five trainings, two at a time at the lowest priority; stopped and started again it goes on.

    python all.py --data DIR --eval DIR --out DIR

OUT/NAME is the folder of a model. The model that has the fewest steps goes next, for a while; so
all five are about as far at any time. SIGINT or SIGTERM saves and stops.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

import sizes
from batches import STEPS

AT_ONCE = 2
HERE = Path(__file__).parent


def steps_done(folder):
    """Steps in the log of a run; what was not saved is done again."""
    log = folder / "steps.csv"
    lines = log.read_text().splitlines() if log.exists() else []
    return int(lines[-1].split(",")[0]) if lines else 0


def start(name, until, args):
    """A process that takes a model to step `until`."""
    command = ["nice", "-n", "19", sys.executable, HERE / "train.py", "--model", name,
               "--until", str(until), "--data", args.data, "--eval", args.eval,
               "--out", args.out / name]  # fmt: skip
    log = (args.out / f"{name}.log").open("a")
    return subprocess.Popen(command, stdout=log, stderr=log)


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--slice", type=int, default=200, help="steps of a model at a time")
    parse.add_argument("--data", type=Path, required=True)
    parse.add_argument("--eval", type=Path, required=True)
    parse.add_argument("--out", type=Path, required=True)
    args = parse.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    done = {name: steps_done(args.out / name) for name in sizes.NAMES}
    running = {}
    try:
        while not stopped and (running or min(done.values()) < STEPS):
            waiting = [name for name in done if name not in running and done[name] < STEPS]
            for name in sorted(waiting, key=done.get)[: AT_ONCE - len(running)]:
                until = min(STEPS, (done[name] // args.slice + 1) * args.slice)
                running[name] = start(name, until, args)
            time.sleep(1)
            for name in [name for name, process in running.items() if process.poll() is not None]:
                if running.pop(name).returncode != 0:
                    sys.exit(f"{name} failed; see {args.out / name}.log")
                done[name] = steps_done(args.out / name)
    finally:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        for process in running.values():
            process.wait()


if __name__ == "__main__":
    main()
