#!/usr/bin/env python3
"""How fast transformers reads or writes with a model of models.py; for RWKV-6 it is the rwkv package.

    python hf.py FAMILY --models OUT/models --prompt 2048
    python hf.py FAMILY --models OUT/models --write 32     # after a prompt of 16

On torch's CPU kernels, in bf16. Prints a line of JSON: tokens_per_second, a value a run. Logits are computed of the
last token alone. Memory is limited to what is available, so that torch fails rather than the machine.
"""
import argparse
import json
import os
import time
from pathlib import Path


class Transformers:
    """A checkpoint in a layout that transformers reads."""

    def __init__(self, models, family, dtype, device="cpu"):
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        import transformers
        transformers.logging.set_verbosity_error()
        folder = models / ("mamba2-hf" if family == "mamba2" else family)
        architecture, = json.loads((folder / "config.json").read_text())["architectures"]
        model = getattr(transformers, architecture)
        self.model = model.from_pretrained(folder, dtype=getattr(torch, dtype)).eval().to(device)
        self.torch, self.device = torch, device

    def ids(self, tokens):
        return self.torch.tensor([tokens], device=self.device)

    def read(self, tokens):
        """Until the next token is known on the host."""
        with self.torch.inference_mode():
            logits = self.model(input_ids=self.ids(tokens), use_cache=True, logits_to_keep=1).logits
            int(logits[0, -1].argmax())

    def write(self, tokens, count):
        """Seconds of `count` steps, from the first token written to the last."""
        times = []

        class Streamer:
            """Is handed the prompt, and then each token as it is chosen."""
            def put(self, _):
                times.append(time.perf_counter())

            def end(self):
                pass

        self.model.generate(self.ids(tokens), max_new_tokens=count + 1, min_new_tokens=count + 1,
                            do_sample=False, pad_token_id=0, streamer=Streamer())
        assert len(times) == count + 2
        return times[-1] - times[1]

    def logits(self, tokens):
        """Of every token."""
        with self.torch.inference_mode():
            return self.model(input_ids=self.ids(tokens)).logits[0].float().cpu().numpy()


class Rwkv:
    """RWKV-6 in the layout of the rwkv package."""

    def __init__(self, models, _family, dtype):
        os.environ |= {"RWKV_JIT_ON": "1", "RWKV_CUDA_ON": "0", "RWKV_V7_ON": "0"}
        from rwkv.model import RWKV
        strategy = {"bfloat16": "cpu bf16", "float32": "cpu fp32"}[dtype]
        self.model = RWKV(model=str(models / "rwkv6"), strategy=strategy, verbose=False)

    def read(self, tokens):
        self.model.forward(tokens, None)

    def write(self, tokens, count):
        """Seconds of `count` steps."""
        logits, state = self.model.forward(tokens, None)
        start = time.perf_counter()
        for _ in range(count):
            logits, state = self.model.forward([int(logits.argmax())], state)
        return time.perf_counter() - start

    def logits(self, tokens):
        """Of every token."""
        return self.model.forward(tokens, None, full_output=True)[0].float().numpy()


def load(models, family, dtype):
    return (Rwkv if family == "rwkv6" else Transformers)(models, family, dtype)


def seconds(peer, args):
    if args.write:
        return peer.write(list(range(1, 17)), args.write)
    tokens = [i * 7919 % 1000 for i in range(args.prompt)]
    start = time.perf_counter()
    peer.read(tokens)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=("llama", "mamba2", "rwkv6", "recurrentgemma"))
    parser.add_argument("--models", type=Path, required=True)
    work = parser.add_mutually_exclusive_group(required=True)
    work.add_argument("--prompt", type=int, metavar="TOKENS")
    work.add_argument("--write", type=int, metavar="TOKENS")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--warm", type=int, default=1, help="runs that are not measured")
    parser.add_argument("--runs", type=int, default=1)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    peer = load(args.models, args.family, "bfloat16")
    measured = [seconds(peer, args) for _ in range(args.warm + args.runs)][args.warm:]
    count = args.write or args.prompt
    print(json.dumps({"tokens_per_second": [count / each for each in measured]}))


if __name__ == "__main__":
    main()
