"""What is read at each step: a function of the step alone, so every model reads the same batches in the
same order, and a run that goes on after an interruption does not notice it."""

from typing import NamedTuple

import numpy as np
import torch

from prepare import KINDS, LENGTHS, TASKS

TOKENS_PER_STEP = 4096
SEED = 3_000_000_000
# Weight of a token that is no answer, which has 1.
CONTEXT_WEIGHT = 0.03


class Phase(NamedTuple):
    """What is read from a step on."""

    step: int
    # Share of batches by length.
    lengths: dict
    # Shares of rows that are recall drills, drills of chains, and plain text; the others are tasks.
    drills: float
    chains: float
    texts: float
    # Shares of `vt` and of `niah_multikey_1` among tasks, where others have what SHARES says.
    tracking: float
    keys: float
    # Share of the tokens outside answers that are predicted at all: a quarter of them is as good a
    # measure, and saves a tenth of the time.
    context: float


CURRICULUM = [
    Phase(0, {128: 1.0}, 0.6, 0.0, 0.05, 1.0, 1.0, 1.0),
    Phase(250, {128: 0.6, 256: 0.4}, 0.4, 0.0, 0.05, 1.0, 1.0, 0.25),
    Phase(400, {128: 0.3, 256: 0.35, 384: 0.15, 512: 0.2}, 0.3, 0.0, 0.05, 3.0, 1.0, 0.25),
    # After 600 steps recall was there and chains had not begun: drills for them, too.
    Phase(600, {128: 0.3, 256: 0.35, 384: 0.15, 512: 0.2}, 0.2, 0.15, 0.05, 3.0, 1.0, 0.25),
    Phase(800, {128: 0.1, 256: 0.3, 384: 0.25, 512: 0.35}, 0.15, 0.1, 0.05, 3.0, 1.0, 0.25),
    Phase(1100, {256: 0.3, 384: 0.3, 512: 0.4}, 0.1, 0.05, 0.05, 3.0, 1.0, 0.25),
    # Families without a convolution before attention had not found where names begin: short prompts of `vt`, then
    # drills of long chains, then all tasks again.
    Phase(1300, {128: 0.4, 192: 0.3, 256: 0.3}, 0.05, 0.15, 0.0, 30.0, 1.0, 0.25),
    Phase(1700, {128: 0.4, 192: 0.3, 256: 0.3}, 0.05, 0.5, 0.0, 30.0, 1.0, 0.25),
    Phase(1820, {256: 0.3, 384: 0.3, 512: 0.4}, 0.1, 0.05, 0.05, 3.0, 1.0, 0.25),
    # Mamba2's hybrid told one of three keys no better than by chance: drills, which ask for a key every 25 tokens, and
    # prompts with three keys; then all tasks again.
    Phase(2300, {128: 0.6, 256: 0.4}, 0.6, 0.05, 0.02, 3.0, 6.0, 0.25),
    Phase(2700, {128: 0.2, 256: 0.3, 384: 0.1, 512: 0.4}, 0.3, 0.05, 0.02, 3.0, 4.0, 0.25),
]


class Course(NamedTuple):
    """Steps with one optimiser: its learning rate warms up, stays, and goes down to 0 at the end."""

    first: int
    end: int
    learning_rate: float
    warm_up: int
    # Share of the steps in which the learning rate goes down.
    decay: float
    # Number of the first batch: those of a step are drawn from a generator seeded with theirs.
    batches: int


COURSES = [
    Course(0, 1300, 3e-3, 100, 0.2, 0),
    Course(1300, 1700, 2e-3, 50, 0.2, 9_000_000),
    Course(1700, 2300, 3e-3, 50, 0.2, 9_100_000),
    Course(2300, 2700, 2e-3, 20, 0.5, 9_200_000),
    Course(2700, 3100, 2e-3, 20, 0.6, 9_300_000),
]
STEPS = COURSES[-1].end


def course_of(step):
    """The course that a step belongs to."""
    return next(course for course in COURSES if step < course.end)


# Rows of each task among tasks.
SHARES = dict.fromkeys(TASKS, 1.0) | {
    "niah_single_1": 2.0,
    "niah_single_2": 2.0,
    "niah_single_3": 2.0,
    "niah_multikey_3": 0.5,
    "qa_1": 0.25,
    "qa_2": 0.25,
    "cwe": 0.5,
    "fwe": 0.5,
}


class Batches:
    """Rows of a folder that `prepare.py` wrote, in buckets of kind and length."""

    def __init__(self, folder):
        self.tokens = np.load(folder / "tokens.npy", mmap_mode="r")
        self.answers = np.load(folder / "answers.npy", mmap_mode="r")
        self.rows = np.load(folder / "rows.npy")
        bucket = np.searchsorted(LENGTHS, self.rows["length"])
        self.buckets = {
            (kind, length): np.flatnonzero((self.rows["kind"] == number) & (bucket == place))
            for number, kind in enumerate(KINDS)
            for place, length in enumerate(LENGTHS)
        }

    def at(self, step):
        """Ids [B, T] and weights [B, T] of the tokens to predict; weights of padding are 0."""
        course = course_of(step)
        rng = np.random.default_rng((SEED, course.batches + step - course.first))
        phase = next(phase for phase in reversed(CURRICULUM) if phase.step <= step)
        length = int(rng.choice(list(phase.lengths), p=list(phase.lengths.values())))
        tasks = SHARES | {"vt": phase.tracking, "niah_multikey_1": phase.keys}
        tasks = {task: share for task, share in tasks.items() if self.buckets[task, length].size}
        others = {"drill": phase.drills, "text": phase.texts, "chain": phase.chains}
        whole = sum(tasks.values()) / (1 - sum(others.values()))
        shares = {task: share / whole for task, share in tasks.items()}
        shares |= {kind: share for kind, share in others.items() if share > 0}
        kinds = [kind for kind in shares if self.buckets[kind, length].size]
        shares = np.array([shares[kind] for kind in kinds])
        drawn = rng.choice(kinds, size=TOKENS_PER_STEP // length, p=shares / shares.sum())
        ids, weights = self.padded([rng.choice(self.buckets[kind, length]) for kind in drawn])
        if phase.context < 1:
            kept = torch.from_numpy(rng.random(weights.shape) < phase.context)
            weights = torch.where(weights == 1, weights, weights * kept / phase.context)
        return ids, weights

    def padded(self, rows):
        """The rows side by side, as long as the longest."""
        length = int(self.rows["length"][rows].max())
        ids = np.zeros((len(rows), length), np.int64)
        weights = np.zeros((len(rows), length), np.float32)
        for place, row in enumerate(rows):
            start, count = int(self.rows["start"][row]), int(self.rows["length"][row])
            ids[place, :count] = self.tokens[start : start + count]
            marks = self.answers[start : start + count]
            weights[place, :count] = np.where(marks, 1.0, CONTEXT_WEIGHT)
        return torch.from_numpy(ids), torch.from_numpy(weights)
