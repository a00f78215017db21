//! Tensors as transformers names them in `LlamaForCausalLM`.

use super::names::{Names, named_ends, tensor};
use super::{BindError, Bound, WeightSource};
use crate::hybrid::config::{FeedForward, Mixer, ModelConfig};
use crate::hybrid::weights::{
    AttentionWeights, Ends, FeedForwardWeights, GatedMlpWeights, Layer, MixerWeights, Norm, Qkv,
    UpGate,
};
use crate::numeric::tensor::Tensor;

pub(super) fn ends<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
) -> Bound<Ends<Tensor<'a>>> {
    let norm = tensor(source, format_args!("model.norm.weight"), &[config.width])?;
    named_ends(config, source, ["model.embed_tokens.weight", "lm_head.weight"], Norm::Rms(norm))
}

pub(super) fn layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    let d = config.width;
    let (Some(Mixer::Attention(attention)), Some(FeedForward::Gated(mlp))) =
        (config.mixer(layer), config.feed_forward)
    else {
        return Err(BindError::OtherParts { layer });
    };
    let names = Names { source, stem: "model.layers", layer };
    let norm = |name: &str| names.tensor(format_args!("{name}.weight"), &[d]).map(Norm::Rms);
    let (q, kv) = (attention.dims.query_width(), attention.dims.kv_width());
    let qkv = [
        names.linear("self_attn.q_proj", [q, d], attention.qkv_bias)?,
        names.linear("self_attn.k_proj", [kv, d], attention.qkv_bias)?,
        names.linear("self_attn.v_proj", [kv, d], attention.qkv_bias)?,
    ];
    let out_proj = names.linear("self_attn.o_proj", [d, q], attention.out_bias)?;
    let weights = AttentionWeights { qkv: Qkv::Split(qkv), conv: None, out_proj };
    let up = names.linear("mlp.up_proj", [mlp.hidden, d], mlp.bias)?;
    let gate = names.linear("mlp.gate_proj", [mlp.hidden, d], mlp.bias)?;
    let down = names.linear("mlp.down_proj", [d, mlp.hidden], mlp.bias)?;
    let mlp_weights = GatedMlpWeights { up_gate: UpGate::Split([up, gate]), down };
    Ok(Layer {
        norm: norm("input_layernorm")?,
        mixer: MixerWeights::Attention(attention, weights),
        feed_forward: Some((
            norm("post_attention_layernorm")?,
            FeedForwardWeights::Gated(mlp, mlp_weights),
        )),
    })
}
