"""What training never sees: words, essays and questions held out by rule, and the corpora that remain.

    python holdout.py CORPORA OUT

writes OUT/0 .. OUT/7, files for the corpus flags of `longseq generate`. They hold the same text; the essays
are in another order in each, so that training haystacks do not all begin with the same essay.
Evaluation uses the whole corpora, and its short haystacks are the first essay, which is held out.
"""

import json
import sys
from pathlib import Path

WORD_LISTS = ("nounlist.txt", "adjectivelist.txt", "verblist.txt")
ROTATIONS = 8
# For readers, and for the test that holds the rule and the lists together.
LIST = Path(__file__).parent / "held-out-words.txt"


def fnv1a(text):
    """The 32-bit FNV-1a hash of the UTF-8 bytes."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 % 2**32
    return value


def held_out(text):
    """A tenth of all words (by the word), a tenth of the questions (by title or id)."""
    return fnv1a(text) % 10 == 0


def essay_held_out(number):
    """Essays 1, 6, 11, 16, 21 and 26."""
    return number % 5 == 1


def _squad(source):
    articles = json.loads(source.read_text())
    articles["data"] = [entry for entry in articles["data"] if not held_out(entry["title"])]
    return articles


def _hotpotqa(source):
    return [entry for entry in json.loads(source.read_text()) if not held_out(entry["_id"])]


def _write(corpora, folder, rotation):
    folder.mkdir(parents=True, exist_ok=True)
    for name in WORD_LISTS:
        words = (corpora / name).read_text().splitlines()
        kept = [word for word in words if not held_out(word)]
        (folder / name).write_text("".join(f"{word}\n" for word in kept))
    (folder / "squad.json").write_text(json.dumps(_squad(corpora / "squad.json")))
    (folder / "hotpotqa.json").write_text(json.dumps(_hotpotqa(corpora / "hotpotqa.json")))
    essays = [path for path in sorted((corpora / "essays").glob("*.txt"))
              if not essay_held_out(int(path.name[:2]))]
    first = rotation * len(essays) // ROTATIONS
    ordered = [path.read_text().strip() for path in essays[first:] + essays[:first]]
    (folder / "essays.txt").write_text("\n\n".join(ordered) + "\n")


def words_held_out(corpora):
    """Words of the three lists that training never sees, in order."""
    words = {word for name in WORD_LISTS for word in (corpora / name).read_text().splitlines()}
    return sorted(filter(held_out, words))


def main(corpora, out):
    corpora, out = Path(corpora), Path(out)
    LIST.write_text("".join(f"{word}\n" for word in words_held_out(corpora)))
    for rotation in range(ROTATIONS):
        _write(corpora, out / str(rotation), rotation)
    for name in WORD_LISTS:
        count = [len((folder / name).read_text().split()) for folder in (corpora, out / "0")]
        print(f"{name}: {count[1]} of {count[0]} words are trained on")


if __name__ == "__main__":
    main(*sys.argv[1:])
