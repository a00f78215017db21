"""Writes a model as a checkpoint of its family: config.json, weights in bfloat16, tokenizer.json; and longseq.json.

    python export.py --model NAME --state OUT/state.pt --tokenizer FILE --to DIR

mamba_ssm's families have `pytorch_model.bin`, the others `model.safetensors`, as published.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

import sizes


def write(name, model, tokenizer, folder, dtype=torch.bfloat16):
    """The checkpoint's files; `dtype` of all weights."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: value.detach().to(dtype) for key, value in model.tensors().items()}
    if name in ("rwkv6", "recurrentgemma"):
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        (folder / "model.safetensors").chmod(0o644)  # it is written for its owner alone
    else:
        if "lm_head.weight" in tensors:
            # One storage, as mamba_ssm's file has.
            tensors["lm_head.weight"] = tensors["backbone.embedding.weight"]
        torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(sizes.CONFIGS[name], indent=2) + "\n")
    card = {"name": name, "training_length": sizes.TRAINING_LENGTH}
    (folder / "longseq.json").write_text(json.dumps(card) + "\n")
    if tokenizer:
        shutil.copy(tokenizer, folder / "tokenizer.json")


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--model", choices=sizes.NAMES, required=True)
    parse.add_argument("--state", type=Path, required=True, help="state.pt of a run of train.py")
    parse.add_argument("--tokenizer", type=Path, required=True)
    parse.add_argument("--to", type=Path, required=True)
    args = parse.parse_args()
    model = sizes.build(args.model)
    model.load_state_dict(torch.load(args.state, weights_only=True)["model"])
    write(args.model, model, args.tokenizer, args.to)


if __name__ == "__main__":
    main()
