"""The five models: `config.json` of each, and the module that computes it.

Width 128 and 1,024 token ids everywhere; layers and inner widths are chosen so that the numbers of
parameters are within 5 % of each other (`python sizes.py` prints them).
"""

from models.mamba_ssm import MambaLm
from models.recurrent_gemma import RecurrentGemmaLm
from models.rwkv6 import Rwkv6Lm

WIDTH, TOKENS = 128, 1024
END_OF_TEXT = 0
TRAINING_LENGTH = 512


def _mamba_ssm(**changes):
    return {
        "d_model": WIDTH,
        "d_intermediate": 0,
        "n_layer": 7,
        "vocab_size": TOKENS,
        "ssm_cfg": {"layer": "Mamba2", "d_state": 64, "headdim": 64},
        "attn_layer_idx": [],
        "attn_cfg": {},
        "rms_norm": True,
        "residual_in_fp32": True,
        "fused_add_norm": True,
        "pad_vocab_size_multiple": 16,
        "tie_embeddings": True,
    } | changes


def _attention(heads, rotated, conv):
    return {
        "causal": True,
        "d_conv": conv,
        "head_dim": 32,
        "num_heads": heads,
        "out_proj_bias": False,
        "qkv_proj_bias": False,
        "rotary_emb_dim": rotated,
    }


CONFIGS = {
    "mamba2": _mamba_ssm(),
    # As published: heads together half as wide again as the model, half of their dims rotated.
    "mamba2attn": _mamba_ssm(attn_layer_idx=[2, 5], attn_cfg=_attention(6, 16, 4)),
    "transformerpp": _mamba_ssm(
        n_layer=4,
        d_intermediate=384,
        ssm_cfg={},
        attn_layer_idx=[0, 1, 2, 3],
        attn_cfg=_attention(4, 32, 0),
    ),
    "rwkv6": {
        "architectures": ["Rwkv6ForCausalLM"],
        "model_type": "rwkv6",
        "attention_hidden_size": WIDTH,
        "bos_token_id": END_OF_TEXT,
        "eos_token_id": END_OF_TEXT,
        "head_size": 64,
        "head_size_divisor": 8,
        "hidden_size": WIDTH,
        "intermediate_size": 224,
        "layer_norm_epsilon": 1e-5,
        "num_hidden_layers": 4,
        "rescale_every": 6,
        "tie_word_embeddings": False,
        "use_cache": True,
        "vocab_size": TOKENS,
    },
    "recurrentgemma": {
        "architectures": ["RecurrentGemmaForCausalLM"],
        "model_type": "recurrent_gemma",
        "attention_bias": False,
        # The published window is shorter than the published training length, too.
        "attention_window_size": TRAINING_LENGTH,
        "block_types": ["recurrent", "recurrent", "attention"],
        "bos_token_id": END_OF_TEXT,
        "conv1d_width": 4,
        "embeddings_scale_by_sqrt_dim": True,
        "eos_token_id": END_OF_TEXT,
        "head_dim": 32,
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": WIDTH,
        "intermediate_size": 448,
        "logits_soft_cap": 30.0,
        "lru_width": WIDTH,
        "num_attention_heads": 4,
        "num_hidden_layers": 6,
        "num_key_value_heads": 1,
        "pad_token_id": END_OF_TEXT,
        "partial_rotary_factor": 0.5,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": TOKENS,
    },
}
NAMES = list(CONFIGS)


def build(name):
    """The model, freshly initialised from torch's generator."""
    classes = {"rwkv6": Rwkv6Lm, "recurrentgemma": RecurrentGemmaLm}
    return classes.get(name, MambaLm)(CONFIGS[name])


def parameters(model):
    """Trained numbers; a tied head counts once."""
    return sum(weight.numel() for weight in model.parameters())


if __name__ == "__main__":
    for name in NAMES:
        print(f"{name:16}{parameters(build(name)):>10,}")
