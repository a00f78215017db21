"""Tokenises everything once: folders of prompts, drills and plain text to one table of rows.

    python prepare.py --prompts DIR --corpora DIR --tokenizer FILE --out DIR [--drills N] [--texts N] [--chains N]

OUT/tokens.npy holds the ids of all rows one after the other (uint16) and OUT/answers.npy which of them
are answers; OUT/rows.npy says of each row where it starts, how long it is and what it is.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import sizes
from answers import answer
from drills import Drills

TASKS = [
    "niah_single_1", "niah_single_2", "niah_single_3", "niah_multikey_1", "niah_multikey_2",
    "niah_multikey_3", "niah_multivalue", "niah_multiquery", "vt", "cwe", "fwe", "qa_1", "qa_2",
]  # fmt: skip
KINDS = [*TASKS, "drill", "text", "chain"]
ROW = np.dtype([("start", "u4"), ("length", "u2"), ("kind", "u1")])
LENGTHS = (128, 192, 256, 384, 512)


class Table:
    """Rows in the making; those that are too long are dropped and counted."""

    def __init__(self, tokenizer):
        self.tokenizer, self.ids, self.answers, self.rows = tokenizer, [], [], []
        self.end = self.dropped = 0

    def add(self, kind, pieces):
        """`pieces` are (text, is_answer); an answer at the end is followed by the end of text."""
        ids, marks = [], []
        for text, is_answer in pieces:
            part = self.tokenizer.encode(text, add_special_tokens=False).ids
            ids += part
            marks += [is_answer] * len(part)
        ids.append(sizes.END_OF_TEXT)
        marks.append(marks[-1])
        if len(ids) > sizes.TRAINING_LENGTH:
            self.dropped += 1
            return
        self.rows.append((self.end, len(ids), KINDS.index(kind)))
        self.end += len(ids)
        self.ids.append(np.array(ids, np.uint16))
        self.answers.append(np.array(marks, bool))

    def save(self, out):
        out.mkdir(parents=True, exist_ok=True)
        np.save(out / "tokens.npy", np.concatenate(self.ids))
        np.save(out / "answers.npy", np.concatenate(self.answers))
        np.save(out / "rows.npy", np.array(self.rows, ROW))


def prompts(folder):
    """(task, sample) of every file that `longseq generate` wrote below `folder`."""
    for path in sorted(folder.rglob("validation.jsonl")):
        for line in path.read_text().splitlines():
            yield path.parent.name, json.loads(line)


def pieces(task, sample):
    """A sample's prompt, then its answer."""
    prompt = sample["input"] + sample.get("answer_prefix", "")
    return [(prompt, False), (answer(task, prompt, sample["outputs"]), True)]


def drill(drills, rng):
    """One drill of about the tokens of a drawn length."""
    room = rng.choice(LENGTHS)
    kind = rng.choices(["number", "uuid", "values", "chains"], [5, 2, 1, 1])[0]
    if kind == "chains":
        return drills.chains(max(1, room // 90))
    if kind == "values":
        return drills.needles(max(1, room // 150), "number", values=3)
    each = 52 if kind == "number" else 66
    return drills.needles(max(1, room // each), "number" if kind == "number" else "short uuid")


def chains(drills, rng):
    """Chains of up to eight hops of about the tokens of a drawn length. A long chain has many names to a text, and
    where a name begins is what takes longest to learn."""
    hops = rng.choices([0, 1, 2, 4, 8], [2, 2, 2, 3, 3])[0]
    return drills.chains(max(1, rng.choice(LENGTHS) // (38 + 26 * hops)), hops)


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--prompts", type=Path, required=True)
    parse.add_argument("--corpora", type=Path, required=True, help="a folder that holdout.py wrote")
    parse.add_argument("--tokenizer", type=Path, required=True)
    parse.add_argument("--out", type=Path, required=True)
    parse.add_argument("--drills", type=int, default=0)
    parse.add_argument("--texts", type=int, default=0)
    parse.add_argument("--chains", type=int, default=0)
    args = parse.parse_args()
    rng = random.Random(3_000_000_000)
    table = Table(Tokenizer.from_file(str(args.tokenizer)))
    for task, sample in prompts(args.prompts):
        table.add(task, pieces(task, sample))
    words = {
        "adjectives": (args.corpora / "adjectivelist.txt").read_text().split(),
        "nouns": (args.corpora / "nounlist.txt").read_text().split(),
    }
    drills = Drills(words, rng)
    for _ in range(args.drills):
        table.add("drill", drill(drills, rng))
    essays = (args.corpora / "essays.txt").read_text().split(" ")
    for _ in range(args.texts):
        words = rng.choice(LENGTHS) * 9 // 20
        first = rng.randrange(len(essays) - words)
        table.add("text", [(" ".join(essays[first : first + words]), False)])
    for _ in range(args.chains):
        table.add("chain", chains(drills, rng))
    table.save(args.out)
    kinds = np.array(table.rows, ROW)["kind"]
    for kind, name in enumerate(KINDS):
        print(f"{name:16}{(kinds == kind).sum():>8} rows")
    print(f"{'too long':16}{table.dropped:>8} rows")


if __name__ == "__main__":
    main()
