//! Tensors as transformers names them in `RecurrentGemmaForCausalLM`.

use super::names::{Names, named_ends, tensor};
use super::{BindError, Bound, WeightSource};
use crate::hybrid::config::{
    AttentionConfig, FeedForward, GatedMlpConfig, Mixer, ModelConfig, Recurrence, RgLruConfig,
};
use crate::hybrid::weights::{
    AttentionWeights, Ends, FeedForwardWeights, GatedMlpWeights, Layer, MixerWeights, Norm, Qkv,
    RgLruBlock, UpGate,
};
use crate::numeric::tensor::Tensor;
use crate::recurrence::rg_lru::{BlockGate, RgLruWeights};

pub(super) fn ends<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
) -> Bound<Ends<Tensor<'a>>> {
    let norm = tensor(source, format_args!("model.final_norm.weight"), &[config.width])?;
    named_ends(
        config,
        source,
        ["model.embed_tokens.weight", "lm_head.weight"],
        Norm::RmsOnePlus(norm),
    )
}

pub(super) fn layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    let d = config.width;
    let names = Names { source, stem: "model.layers", layer };
    let norm = |name: &str| names.tensor(format_args!("{name}.weight"), &[d]).map(Norm::RmsOnePlus);
    let mixer = match config.mixer(layer) {
        Some(Mixer::Recurrent(Recurrence::RgLru(of))) => {
            MixerWeights::RgLru(of, recurrent_block(&names, &of, d)?)
        }
        Some(Mixer::Attention(of)) => MixerWeights::Attention(of, attention(&names, &of, d)?),
        _ => return Err(BindError::OtherParts { layer }),
    };
    let Some(FeedForward::Gated(mlp)) = config.feed_forward else {
        return Err(BindError::OtherParts { layer });
    };
    let weights = FeedForwardWeights::Gated(mlp, gated_mlp(&names, &mlp, d)?);
    Ok(Layer {
        norm: norm("temporal_pre_norm")?,
        mixer,
        feed_forward: Some((norm("channel_pre_norm")?, weights)),
    })
}

fn recurrent_block<'a, S: WeightSource<'a> + ?Sized>(
    names: &Names<'_, S>,
    config: &RgLruConfig,
    d: usize,
) -> Bound<RgLruBlock<Tensor<'a>>> {
    let (channels, blocks) = (config.dims.channels, config.dims.blocks);
    let width = config.dims.block_width();
    let of_unit = |name: &str, shape: &[usize]| {
        names.tensor(format_args!("temporal_block.rg_lru.{name}"), shape)
    };
    let rg_lru = RgLruWeights {
        input_gate: BlockGate {
            weight: of_unit("input_gate_weight", &[blocks, width, width])?,
            bias: of_unit("input_gate_bias", &[blocks, width])?,
        },
        recurrent_gate: BlockGate {
            weight: of_unit("recurrent_gate_weight", &[blocks, width, width])?,
            bias: of_unit("recurrent_gate_bias", &[blocks, width])?,
        },
        decay: of_unit("recurrent_param", &[channels])?,
    };
    Ok(RgLruBlock {
        x_proj: names.linear("temporal_block.linear_x", [channels, d], true)?,
        y_proj: names.linear("temporal_block.linear_y", [channels, d], true)?,
        conv: names.conv("temporal_block.conv_1d", (channels, config.conv_width), true)?,
        rg_lru,
        out_proj: names.linear("temporal_block.linear_out", [d, channels], true)?,
    })
}

fn attention<'a, S: WeightSource<'a> + ?Sized>(
    names: &Names<'_, S>,
    attention: &AttentionConfig,
    d: usize,
) -> Bound<AttentionWeights<Tensor<'a>>> {
    let (q, kv) = (attention.dims.query_width(), attention.dims.kv_width());
    let qkv = [
        names.linear("temporal_block.q_proj", [q, d], attention.qkv_bias)?,
        names.linear("temporal_block.k_proj", [kv, d], attention.qkv_bias)?,
        names.linear("temporal_block.v_proj", [kv, d], attention.qkv_bias)?,
    ];
    let out_proj = names.linear("temporal_block.o_proj", [d, q], attention.out_bias)?;
    Ok(AttentionWeights { qkv: Qkv::Split(qkv), conv: None, out_proj })
}

fn gated_mlp<'a, S: WeightSource<'a> + ?Sized>(
    names: &Names<'_, S>,
    mlp: &GatedMlpConfig,
    d: usize,
) -> Bound<GatedMlpWeights<Tensor<'a>>> {
    let up = names.linear("mlp_block.up_proj", [mlp.hidden, d], mlp.bias)?;
    let gate = names.linear("mlp_block.gate_proj", [mlp.hidden, d], mlp.bias)?;
    let down = names.linear("mlp_block.down_proj", [d, mlp.hidden], mlp.bias)?;
    Ok(GatedMlpWeights { up_gate: UpGate::Split([up, gate]), down })
}
