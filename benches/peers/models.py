#!/usr/bin/env python3
"""Random checkpoints of about 130M parameters, the same weights in every peer's layout.

    python models.py --out models [--size 2.7b] [llama mamba2 mamba2attn transformerpp rwkv6 recurrentgemma]

Each tensor is drawn by NumPy's PCG64 from the seed and its name (with --device cuda by torch there, which is faster and
gives other numbers), rounded to bf16 and stored as such. Written are OUT/<family>/ for longseq, and beside it, of 130m
without --device, OUT/<family>-hf/ (mamba2: transformers names its tensors otherwise) or OUT/rwkv6.pth (the rwkv
package). The values are only meant to keep activations in range: speed is what is measured.
"""
import argparse
import json
import math
import zlib
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

# The families compared on a CPU, and the shapes of the published models of 2.7B parameters (RWKV-6: 3.1B).
SIZES = {
    "130m": {
        "llama": dict(width=768, layers=12, hidden=2048, heads=12),
        "mamba2": dict(width=768, layers=24),
        "rwkv6": dict(width=768, layers=12, hidden=2688),
        "recurrentgemma": dict(width=768, layers=18, hidden=2304, heads=6, vocabulary=32000),
    },
    "2.7b": {
        "llama": dict(width=2560, layers=32, hidden=6912, heads=20),
        "mamba2": dict(width=2560, layers=64),
        "mamba2attn": dict(width=2560, layers=64),
        "transformerpp": dict(width=2560, layers=32),
        "rwkv6": dict(width=2560, layers=32, hidden=8960),
        "recurrentgemma": dict(width=2560, layers=26, hidden=7680, heads=10, vocabulary=256000),
    },
}


def drawn(seed, name, shape, device):
    """Normal numbers of a size that suits the tensor's place."""
    seeds = [seed, zlib.crc32(name.encode())]
    if device:
        generator = torch.Generator(device).manual_seed(seeds[0] << 32 | seeds[1])
        values = torch.randn(shape, generator=generator, device=device)
    else:
        values = torch.from_numpy(numpy.random.default_rng(seeds).standard_normal(shape, dtype=numpy.float32))
    leaf = name.rsplit(".", 2)
    if leaf[-1] == "bias":
        return values * 0.01
    if len(shape) >= 2 and min(shape) > 1:
        return values / math.sqrt(shape[-1])
    return values * 0.1


def llama(width, layers, hidden, heads):
    vocabulary = 32000
    config = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=width,
                  num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=heads,
                  intermediate_size=hidden, vocab_size=vocabulary, max_position_embeddings=65536,
                  rms_norm_eps=1e-5, rope_theta=10000.0, hidden_act="silu", tie_word_embeddings=False,
                  bos_token_id=1, eos_token_id=2)
    shapes = {"model.embed_tokens.weight": (vocabulary, width), "model.norm.weight": (width,),
              "lm_head.weight": (vocabulary, width)}
    for layer in range(layers):
        stem = f"model.layers.{layer}."
        for name in ("q", "k", "v", "o"):
            shapes[f"{stem}self_attn.{name}_proj.weight"] = (width, width)
        for name in ("gate", "up"):
            shapes[f"{stem}mlp.{name}_proj.weight"] = (hidden, width)
        shapes[f"{stem}mlp.down_proj.weight"] = (width, hidden)
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{stem}{name}.weight"] = (width,)
    return config, shapes


def mamba2(width, layers):
    vocabulary, heads, state = 50288, width // 32, 128
    inner = 2 * width
    mixed = inner + 2 * state
    config = dict(d_model=width, d_intermediate=0, n_layer=layers, vocab_size=50277,
                  ssm_cfg={"layer": "Mamba2"}, attn_layer_idx=[], attn_cfg={}, rms_norm=True,
                  residual_in_fp32=True, fused_add_norm=True, pad_vocab_size_multiple=16, tie_embeddings=True)
    shapes = {"backbone.embedding.weight": (vocabulary, width), "backbone.norm_f.weight": (width,)}
    for layer in range(layers):
        stem = f"backbone.layers.{layer}."
        shapes[f"{stem}norm.weight"] = (width,)
        shapes[f"{stem}mixer.in_proj.weight"] = (2 * inner + 2 * state + heads, width)
        shapes[f"{stem}mixer.conv1d.weight"] = (mixed, 1, 4)
        shapes[f"{stem}mixer.conv1d.bias"] = (mixed,)
        for name in ("dt_bias", "A_log", "D"):
            shapes[f"{stem}mixer.{name}"] = (heads,)
        shapes[f"{stem}mixer.norm.weight"] = (inner,)
        shapes[f"{stem}mixer.out_proj.weight"] = (width, inner)
    return config, shapes


def attention(config, shapes, layer, heads, head, conv, rotary):
    """Makes the mixer of a layer attention instead."""
    width, stem = config["d_model"], f"backbone.layers.{layer}.mixer."
    for name in [name for name in shapes if name.startswith(stem)]:
        del shapes[name]
    config["attn_layer_idx"].append(layer)
    config["attn_cfg"] = dict(causal=True, d_conv=conv, head_dim=head, num_heads=heads, out_proj_bias=False,
                              qkv_proj_bias=False, rotary_emb_dim=rotary)
    mixed = 3 * heads * head
    shapes[f"{stem}in_proj.weight"] = (mixed, width)
    if conv:
        shapes[f"{stem}conv1d.weight"] = (mixed, 1, conv)
        shapes[f"{stem}conv1d.bias"] = (mixed,)
    shapes[f"{stem}out_proj.weight"] = (width, heads * head)


def mamba2attn(width, layers):
    config, shapes = mamba2(width, layers)
    # Of a model with fewer layers the last.
    for layer in [layer for layer in (9, 18, 27, 36, 45, 56) if layer < layers] or [layers - 1]:
        attention(config, shapes, layer, heads=30, head=128, conv=4, rotary=64)
    return config, shapes


def transformerpp(width, layers):
    hidden = 6912
    config, shapes = mamba2(width, layers)
    config |= dict(d_intermediate=hidden, ssm_cfg={})
    for layer in range(layers):
        attention(config, shapes, layer, heads=width // 128, head=128, conv=0, rotary=128)
        stem = f"backbone.layers.{layer}."
        shapes[f"{stem}norm2.weight"] = (width,)
        shapes[f"{stem}mlp.fc1.weight"] = (2 * hidden, width)
        shapes[f"{stem}mlp.fc2.weight"] = (width, hidden)
    return config, shapes


MAMBA2_HF = dict(architectures=["Mamba2ForCausalLM"], model_type="mamba2", hidden_size=768,
                 num_hidden_layers=24, state_size=128, head_dim=64, num_heads=24, expand=2, n_groups=1,
                 conv_kernel=4, vocab_size=50288, chunk_size=256, use_bias=False, use_conv_bias=True,
                 rms_norm=True, layer_norm_epsilon=1e-5, tie_word_embeddings=True, residual_in_fp32=False,
                 bos_token_id=0, eos_token_id=0, pad_token_id=0)


def rwkv6(width, layers, hidden):
    vocabulary = 65536
    config = dict(architectures=["Rwkv6ForCausalLM"], model_type="rwkv6", hidden_size=width,
                  attention_hidden_size=width, num_hidden_layers=layers, head_size=64, head_size_divisor=8,
                  intermediate_size=None, vocab_size=vocabulary, rescale_every=0, layer_norm_epsilon=1e-5,
                  tie_word_embeddings=False, context_length=4096, bos_token_id=0, eos_token_id=0)
    shapes = {"rwkv.embeddings.weight": (vocabulary, width), "head.weight": (vocabulary, width)}
    norms = ["rwkv.ln_out", "rwkv.blocks.0.pre_ln"]
    for layer in range(layers):
        stem = f"rwkv.blocks.{layer}."
        norms += [f"{stem}ln1", f"{stem}ln2", f"{stem}attention.ln_x"]
        for name in "xwkvrg":
            shapes[f"{stem}attention.time_maa_{name}"] = (1, 1, width)
        shapes[f"{stem}attention.time_maa_w1"] = (width, 160)
        shapes[f"{stem}attention.time_maa_w2"] = (5, 32, width)
        shapes[f"{stem}attention.time_decay"] = (1, 1, width)
        shapes[f"{stem}attention.time_decay_w1"] = (width, 64)
        shapes[f"{stem}attention.time_decay_w2"] = (64, width)
        shapes[f"{stem}attention.time_faaaa"] = (width // 64, 64)
        for name in ("receptance", "key", "value", "gate", "output"):
            shapes[f"{stem}attention.{name}.weight"] = (width, width)
        for name in ("k", "r"):
            shapes[f"{stem}feed_forward.time_maa_{name}"] = (1, 1, width)
        shapes[f"{stem}feed_forward.key.weight"] = (hidden, width)
        shapes[f"{stem}feed_forward.receptance.weight"] = (width, width)
        shapes[f"{stem}feed_forward.value.weight"] = (width, hidden)
    for norm in norms:
        shapes[f"{norm}.weight"] = shapes[f"{norm}.bias"] = (width,)
    return config, shapes


def recurrentgemma(width, layers, hidden, heads, vocabulary):
    head = width // heads
    config = dict(architectures=["RecurrentGemmaForCausalLM"], model_type="recurrent_gemma",
                  hidden_size=width, num_hidden_layers=layers, intermediate_size=2 * hidden,
                  num_attention_heads=heads, num_key_value_heads=1, lru_width=width, vocab_size=vocabulary,
                  attention_window_size=2048, conv1d_width=4, logits_soft_cap=30.0, rms_norm_eps=1e-6,
                  rope_theta=10000.0, partial_rotary_factor=0.5, hidden_activation="gelu_pytorch_tanh",
                  block_types=["recurrent", "recurrent", "attention"], attention_bias=False,
                  tie_word_embeddings=True, bos_token_id=2, eos_token_id=1, pad_token_id=0)
    shapes = {"model.embed_tokens.weight": (vocabulary, width), "model.final_norm.weight": (width,)}
    for layer in range(layers):
        stem = f"model.layers.{layer}."
        block = f"{stem}temporal_block."
        for name in ("temporal_pre_norm", "channel_pre_norm"):
            shapes[f"{stem}{name}.weight"] = (width,)
        for name, size in (("gate", (hidden, width)), ("up", (hidden, width)), ("down", (width, hidden))):
            shapes[f"{stem}mlp_block.{name}_proj.weight"] = size
            shapes[f"{stem}mlp_block.{name}_proj.bias"] = size[:1]
        if layer % 3 == 2:
            for name, rows in (("q", width), ("k", head), ("v", head), ("o", width)):
                shapes[f"{block}{name}_proj.weight"] = (rows, width)
            shapes[f"{block}o_proj.bias"] = (width,)
            continue
        for name in ("linear_x", "linear_y", "linear_out"):
            shapes[f"{block}{name}.weight"] = (width, width)
            shapes[f"{block}{name}.bias"] = (width,)
        shapes[f"{block}conv_1d.weight"] = (width, 1, 4)
        shapes[f"{block}conv_1d.bias"] = (width,)
        shapes[f"{block}rg_lru.recurrent_param"] = (width,)
        for name in ("input_gate", "recurrent_gate"):
            shapes[f"{block}rg_lru.{name}_weight"] = (heads, head, head)
            shapes[f"{block}rg_lru.{name}_bias"] = (heads, head)
    return config, shapes


FAMILIES = {"llama": llama, "mamba2": mamba2, "mamba2attn": mamba2attn, "transformerpp": transformerpp, "rwkv6": rwkv6,
            "recurrentgemma": recurrentgemma}


def tensors(family, seed, sizes, device=None):
    config, shapes = FAMILIES[family](**sizes)
    made = {}
    for name, shape in shapes.items():
        values = drawn(seed, name, shape, device)
        if "norm" in name.lower() or ".ln" in name or "pre_ln" in name:
            # A scale of 1 and little more; RecurrentGemma stores it less one.
            values += 0.0 if name.endswith("bias") or family == "recurrentgemma" else 1.0
        if name.endswith("time_decay"):
            values = values * 10 - 4
        if name.endswith("dt_bias"):
            values -= 4
        made[name] = values.to(torch.bfloat16).cpu().contiguous()
    return config, made


def write(folder, config, weights):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def blink(name):
    """The rwkv package's name of a tensor."""
    for ours, theirs in (("rwkv.embeddings", "emb"), ("rwkv.", ""), ("pre_ln", "ln0"),
                         ("attention.", "att."), ("feed_forward.", "ffn.")):
        name = name.replace(ours, theirs)
    return name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("models"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", choices=SIZES, default="130m")
    parser.add_argument("--layers", type=int, help="fewer than the size has")
    parser.add_argument("--device", help="draw there; writes the checkpoint for longseq alone")
    parser.add_argument("families", nargs="*", help="default: all of the size")
    args = parser.parse_args()
    sizes = SIZES[args.size]
    if unknown := set(args.families) - set(sizes):
        parser.error(f"no {', '.join(sorted(unknown))} of {args.size}; there are {', '.join(sizes)}")
    for family in args.families or sizes:
        of = sizes[family] | ({"layers": args.layers} if args.layers else {})
        config, weights = tensors(family, args.seed, of, args.device)
        write(args.out / family, config, weights)
        count = sum(value.numel() for value in weights.values())
        print(f"{family}: {count / 1e6:.1f}M parameters", flush=True)
        if args.device or args.size != "130m":
            continue
        if family == "mamba2":
            names = {name: name.replace("backbone.embedding.", "backbone.embeddings.") for name in weights}
            write(args.out / "mamba2-hf", MAMBA2_HF, {names[name]: value for name, value in weights.items()})
        if family == "rwkv6":
            vectors = ("time_maa", "time_decay")
            flat = {name: value.squeeze() if any(v in name for v in vectors) else value
                    for name, value in weights.items()}
            # In f32, since the package normalises embeddings in the type they are stored in, even if it computes in f32.
            torch.save({blink(name): value.float() for name, value in flat.items()}, args.out / "rwkv6.pth")


if __name__ == "__main__":
    main()
