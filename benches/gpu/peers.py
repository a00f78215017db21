#!/usr/bin/env python3
"""How fast other programs are on this GPU, with models of the same shapes, in bf16: lines of JSON.

    python peers.py transformers --models DIR   # DIR/llama of models.py --size 2.7b; attention by PyTorch's SDPA
    python peers.py fla mamba2                  # flash-linear-attention, random weights
    python peers.py fla rwkv6

A prompt is timed until its next token is known, as forward does; medians are the table's. What cannot be imported is
skipped with a line that says so, and that is no failure.
"""
import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

LENGTHS = (1024, 4096, 16384)
RUNS = 3
# The names of classes and of what comes before the head, and sizes.
FLA = {
    "mamba2": ("Mamba2", "backbone", dict(hidden_size=2560, num_hidden_layers=64, state_size=128, head_dim=64, expand=2,
                                          n_groups=1, vocab_size=50288, tie_word_embeddings=True)),
    "rwkv6": ("RWKV6", "model", dict(hidden_size=2560, num_hidden_layers=32, num_heads=40, expand_k=1.0, expand_v=1.0,
                                     intermediate_size=8960, vocab_size=65536)),
}


def skip(name, error):
    print(f"skipped: {name} cannot be imported here: {error}")
    print(json.dumps({"peer": name, "skipped": str(error)}))
    sys.exit(0)


def timed(name, family, read):
    for length in LENGTHS:
        tokens = [i * 7919 % 1000 for i in range(length)]
        seconds = []
        for _ in range(RUNS + 1):
            start = time.perf_counter()
            read(tokens)
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"peer": name, "family": family, "work": f"prompt of {length}",
                          "tokens_per_second": [length / each for each in seconds[1:]]}), flush=True)


def transformers(args):
    try:
        import torch  # noqa: F401
        import transformers as package
    except ImportError as error:
        skip("transformers", error)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))
    import hf
    model = hf.Transformers(args.models, "llama", "bfloat16", "cuda")
    implementation = getattr(model.model.config, "_attn_implementation", "unknown")
    name = f"transformers {package.__version__} {implementation}"
    timed(name, "llama", model.read)
    count = 16
    model.write(list(range(1, 17)), count)
    seconds = [model.write([i * 7919 % 1000 for i in range(1024)], count) for _ in range(RUNS)]
    print(json.dumps({"peer": name, "family": "llama", "work": "writing after 1024, 1 together",
                      "tokens_per_second": [count / each for each in seconds]}))


def fla(args):
    try:
        import torch
        import fla as package
        from fla import models
    except ImportError as error:
        skip("flash-linear-attention", error)
    stem, body, sizes = FLA[args.family]
    config = getattr(models, f"{stem}Config")(**sizes)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = getattr(models, f"{stem}ForCausalLM")(config).eval()
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{args.family}: {count / 1e6:.1f}M parameters")

    def read(tokens):
        with torch.inference_mode():
            ids = torch.tensor([tokens], device="cuda")
            hidden = getattr(model, body)(input_ids=ids, use_cache=True).last_hidden_state
            int(model.lm_head(hidden[:, -1]).argmax())

    name = f"flash-linear-attention {getattr(package, '__version__', '')}"
    if args.family == "mamba2":
        # Its Mamba-2 calls that package's kernels, and is slow without.
        name += " with mamba_ssm" if importlib.util.find_spec("mamba_ssm") else " without mamba_ssm"
    timed(name, args.family, read)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("transformers")
    command.add_argument("--models", type=Path, required=True)
    command.set_defaults(run=transformers)
    command = commands.add_parser("fla")
    command.add_argument("family", choices=FLA)
    command.set_defaults(run=fla)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
