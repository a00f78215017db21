"""Recall drills: the first lessons of the curriculum.

A list of needles and then the question for each of them, answered. A RULER prompt asks one question
of a few hundred tokens; a drill asks one every twenty, so copying is learnt in a fraction of the steps.
Sentences are RULER's, keys and values are drawn from the words that are not held out.
"""

import uuid

from answers import listed


class Drills:
    def __init__(self, words, rng):
        self.adjectives, self.nouns, self.rng = words["adjectives"], words["nouns"], rng

    def _key(self):
        return f"{self.rng.choice(self.adjectives)}-{self.rng.choice(self.nouns)}"

    def _value(self, kind):
        if kind == "number":
            return str(self.rng.randint(1_000_000, 9_999_999))
        text = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        return text if kind == "uuid" else text[:13]

    def needles(self, count, kind, values=1):
        """Pieces (text, is_answer) of a list of `count` keys with `values` each, and its questions."""
        word = "number" if kind == "number" else "uuid"
        pairs = [(self._key(), [self._value(kind) for _ in range(values)]) for _ in range(count)]
        lines = [(key, value) for key, given in pairs for value in given]
        self.rng.shuffle(lines)
        yield "\n".join(
            f"One of the special magic {word}s for {key} is: {value}." for key, value in lines
        ), False
        self.rng.shuffle(pairs)
        for key, _ in pairs:
            given = [value for other, value in lines if other == key]
            are = f"{word} for {{}} mentioned in the provided text is"
            if values > 1:
                are = are.replace(word, f"{word}s").removesuffix("is") + "are"
            yield f"\nThe special magic {are.format(key)}", False
            yield f" {listed(given)}.", True

    def chains(self, count, hops=2):
        """`count` chains of `hops` assignments after the first, and their questions."""
        chains = []
        for _ in range(count):
            names = ["".join(self.rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=5)) for _ in range(hops + 1)]
            chains.append((str(self.rng.randint(10_000, 99_999)), names))
        left = [[f"VAR {names[0]} = {value}"] + [
            f"VAR {new} = VAR {old}" for old, new in zip(names, names[1:])
        ] for value, names in chains]
        lines = []
        while any(left):
            lines.append(self.rng.choice([chain for chain in left if chain]).pop(0))
        yield "\n".join(lines), False
        self.rng.shuffle(chains)
        for value, names in chains:
            yield f"\n{hops + 1} variables are assigned the value {value}, they are: ", False
            yield " " + " ".join(names), True
