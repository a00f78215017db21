#!/usr/bin/env python3
"""A checkpoint of models.py as GGUF without a tokenizer, by llama.cpp's own converter.

    python to_gguf.py LLAMA_CPP MODEL bf16|f32 FILE     # LLAMA_CPP: its source tree

The converter wants the published tokenizer of each architecture; random models have none.
"""
import argparse
import json
import sys
from pathlib import Path


def no_tokenizer(self):
    self._set_vocab_none()
    self.gguf_writer.add_vocab_size(self.hparams["vocab_size"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("llama_cpp", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("type", choices=("bf16", "f32"))
    parser.add_argument("file", type=Path)
    args = parser.parse_args()
    sys.path[:0] = [str(args.llama_cpp / "gguf-py"), str(args.llama_cpp)]
    import convert_hf_to_gguf
    from conversion import get_model_class

    architecture, = json.loads((args.model / "config.json").read_text())["architectures"]
    get_model_class(architecture).set_vocab = no_tokenizer
    sys.argv[1:] = [str(args.model), "--outtype", args.type, "--outfile", str(args.file)]
    convert_hf_to_gguf.main()


if __name__ == "__main__":
    main()
