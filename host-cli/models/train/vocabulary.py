"""Trains the tokenizer.json that the five models share.

    python vocabulary.py PROMPTS CORPORA OUT

PROMPTS is a folder that `longseq generate` wrote, CORPORA one that `holdout.py` wrote. Byte-level BPE of 1,024
entries. A piece is a run of letters and digits together, with the space before it: a number or a
part of a UUID is one piece and falls into pairs of digits, the same wherever it stands.
"""

import json
import random
import sys
import uuid
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import sizes

PIECES = r" ?[\p{L}\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+"
END_OF_TEXT = "<|endoftext|>"


def texts(prompts, corpora):
    """Prompts with their answers, the essays, every word of the lists, and as many numbers and UUIDs
    as it takes for most pairs of digits to become entries."""
    for path in sorted(prompts.rglob("validation.jsonl")):
        for line in path.read_text().splitlines():
            sample = json.loads(line)
            yield sample["input"] + sample.get("answer_prefix", "") + " " + " ".join(sample["outputs"])
    yield (corpora / "essays.txt").read_text()
    for path in sorted(corpora.glob("*list.txt")):
        for word in path.read_text().split():
            yield f" {word}"
    rng = random.Random(0)
    for _ in range(30_000):
        yield f" {rng.randrange(1_000_000, 10_000_000)}"
        yield f" {uuid.UUID(int=rng.getrandbits(128), version=4)}"


def main(prompts, corpora, out):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PIECES), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=sizes.TOKENS,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(Path(prompts), Path(corpora)), trainer)
    assert tokenizer.token_to_id(END_OF_TEXT) == sizes.END_OF_TEXT
    assert tokenizer.get_vocab_size() == sizes.TOKENS
    tokenizer.save(out, pretty=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
