"""Trains one model, and goes on where it stopped.

    python train.py --model NAME --data DIR --eval DIR --out DIR [--weights FILE --after STEP]

OUT/state.pt is replaced every few minutes: weights, optimiser and step. OUT/steps.csv has a line for every
ten steps, OUT/scores.csv the share of exact answers to fresh prompts. A course begins with a new optimiser; with
--weights, a file of weights that were had after that many steps, the run begins there.
"""

import argparse
import csv
import os
import signal
import time
from pathlib import Path

import numpy as np
import torch

import scoring
import sizes
from batches import STEPS, Batches, course_of
from muon import Muon

DECAY_OF_WEIGHTS = 0.05
SAVE_SECONDS = 180
SCORE_STEPS = 200
SCORED = ("niah_single_1", "niah_single_2", "niah_single_3", "niah_multikey_1", "vt")


def learning_rate(step):
    """Warm-up, then constant, then a line to 0 at the end of a course."""
    course = course_of(step)
    done, left = step - course.first, course.end - step
    return course.learning_rate * min(1, (done + 1) / course.warm_up, left / (course.decay * (done + left)))


def optimisers(model):
    """Muon for the matrices of the layers; AdamW for the rest, with decay for the embeddings only."""
    inner, ends, others = [], [], []
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and name.endswith(("embedding.weight", "embeddings.weight", "embed_tokens.weight")):
            ends.append(weight)
        elif name == "head.weight":
            ends.append(weight)
        elif weight.dim() == 2 and name.endswith(".weight"):
            inner.append(weight)
        else:
            others.append(weight)
    groups = [{"params": ends, "weight_decay": DECAY_OF_WEIGHTS}, {"params": others, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8, fused=True)
    return [Muon(inner, DECAY_OF_WEIGHTS), adamw]


class Run:
    """A model, its optimiser and its folder."""

    def __init__(self, args):
        torch.manual_seed(0)
        self.args, self.out, self.step, self.seconds = args, args.out, args.after, 0.0
        self.model = sizes.build(args.model)
        if args.weights:
            self.model.load_state_dict(torch.load(args.weights, weights_only=True))
        self.optimisers = optimisers(self.model)
        self.out.mkdir(parents=True, exist_ok=True)
        if (self.out / "state.pt").exists():
            state = torch.load(self.out / "state.pt", weights_only=True)
            self.model.load_state_dict(state["model"])
            for optimiser, known in zip(self.optimisers, state["optimisers"]):
                optimiser.load_state_dict(known)
            self.step, self.seconds = state["step"], state["seconds"]
            for name in ("steps.csv", "scores.csv"):
                cut(self.out / name, self.step)

    def save(self):
        """All or nothing: an interruption leaves the state before."""
        part = self.out / "state.part"
        state = {"model": self.model.state_dict(), "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                 "step": self.step, "seconds": self.seconds}  # fmt: skip
        torch.save(state, part)
        os.replace(part, self.out / "state.pt")

    def learn(self, batches):
        """One step: its loss and the share of answer tokens that are right."""
        if self.step == course_of(self.step).first:
            self.optimisers = optimisers(self.model)
        rate = learning_rate(self.step)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
        loss, right = scoring.loss(self.model, *batches.at(self.step))
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        return loss.item(), right.item(), rate

    def score(self, fresh):
        """A line for each task and length: the share of exact answers."""
        with (self.out / "scores.csv").open("a") as file:
            for task in SCORED:
                for length in (256, 512):
                    rows = fresh.buckets[task, length][:32]
                    if len(rows):
                        exact = scoring.exact(self.model, fresh, rows)
                        csv.writer(file).writerow([self.step, task, length, len(rows), exact])


def cut(path, step):
    """Drops the lines of steps that the saved state does not know."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if int(line.split(",")[0]) <= step))


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--model", choices=sizes.NAMES, required=True)
    parse.add_argument("--until", type=int, default=STEPS, help="stop at this step, to go on later")
    parse.add_argument("--data", type=Path, required=True, help="a folder that prepare.py wrote")
    parse.add_argument("--eval", type=Path, required=True, help="another, of evaluation prompts")
    parse.add_argument("--out", type=Path, required=True)
    parse.add_argument("--weights", type=Path, help="a state_dict to begin with where --out has no run")
    parse.add_argument("--after", type=int, default=0, help="steps that the weights have had")
    args = parse.parse_args()
    torch.set_num_threads(1)
    stop = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    run, batches, fresh = Run(args), Batches(args.data), Batches(args.eval)
    saved, window = time.monotonic(), []
    while run.step < args.until and not stop:
        began = time.monotonic()
        loss, right, rate = run.learn(batches)
        run.seconds += time.monotonic() - began
        window.append((loss, right))
        if run.step % 10 == 0:
            loss, right = np.mean(window, 0)
            window = []
            line = [run.step, f"{loss:.4f}", f"{right:.4f}", f"{rate:.2e}", f"{run.seconds:.1f}"]
            with (run.out / "steps.csv").open("a") as file:
                csv.writer(file).writerow(line)
        if run.step % SCORE_STEPS == 0:
            run.score(fresh)
        if time.monotonic() - saved > SAVE_SECONDS:
            run.save()
            saved = time.monotonic()
    run.save()


if __name__ == "__main__":
    main()
