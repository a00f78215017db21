//! Tensors as RWKV's `Rwkv6ForCausalLM` names them.
//!
//! Vectors may be stored with leading axes of 1, and the decay as a table of heads.

use core::fmt;

use super::names::{Names, named_ends, tensor};
use super::{BindError, Bound, WeightSource};
use crate::hybrid::config::{
    ChannelMixConfig, FeedForward, Mixer, ModelConfig, Recurrence, Wkv6Config,
};
use crate::hybrid::weights::{
    ChannelMixWeights, Ends, FeedForwardWeights, Layer, MixerWeights, Norm, Wkv6Weights,
};
use crate::numeric::{low_rank::LowRank, tensor::Tensor};
use crate::recurrence::token_shift::{DdLerp, STREAMS};

pub(super) fn ends<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
) -> Bound<Ends<Tensor<'a>>> {
    let norm = |name: &str| {
        let part = |part: fmt::Arguments<'_>| tensor(source, part, &[config.width]);
        let weight = part(format_args!("rwkv.{name}.weight"))?;
        Ok(Norm::Layer { weight, bias: part(format_args!("rwkv.{name}.bias"))? })
    };
    let ends =
        named_ends(config, source, ["rwkv.embeddings.weight", "head.weight"], norm("ln_out")?)?;
    Ok(Ends { embedding_norm: Some(norm("blocks.0.pre_ln")?), ..ends })
}

pub(super) fn layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    let d = config.width;
    let (Some(Mixer::Recurrent(Recurrence::Wkv6(wkv6))), Some(FeedForward::ChannelMix(mix))) =
        (config.mixer(layer), config.feed_forward)
    else {
        return Err(BindError::OtherParts { layer });
    };
    let names = Names { source, stem: "rwkv.blocks", layer };
    let norm = |name: &str| {
        let weight = names.tensor(format_args!("{name}.weight"), &[d])?;
        Ok(Norm::Layer { weight, bias: names.tensor(format_args!("{name}.bias"), &[d])? })
    };
    Ok(Layer {
        norm: norm("ln1")?,
        mixer: MixerWeights::Wkv6(wkv6, time_mix(&names, &wkv6, d)?),
        feed_forward: Some((
            norm("ln2")?,
            FeedForwardWeights::ChannelMix(mix, channel_mix(&names, &mix, d)?),
        )),
    })
}

fn time_mix<'a, S: WeightSource<'a> + ?Sized>(
    names: &Names<'_, S>,
    config: &Wkv6Config,
    d: usize,
) -> Bound<Wkv6Weights<Tensor<'a>>> {
    let Wkv6Config { dims, shift_rank, decay_rank, .. } = *config;
    let (width, heads) = (dims.width(), [dims.heads, dims.head_dim]);
    let vector = |name: &str| names.any_shape(name, &[&[d], &[1, 1, d]]);
    let wide = |name: &str| names.any_shape(name, &[&[width], &heads, &[1, 1, width]]);
    let to = |name: &str| names.linear(name, [width, d], false);
    let low_rank = |name: &str, shape: &[usize]| names.tensor(format_args!("{name}"), shape);
    Ok(Wkv6Weights {
        shift: DdLerp {
            mixed: vector("attention.time_maa_x")?,
            streams: [
                vector("attention.time_maa_w")?,
                vector("attention.time_maa_k")?,
                vector("attention.time_maa_v")?,
                vector("attention.time_maa_r")?,
                vector("attention.time_maa_g")?,
            ],
            down: low_rank("attention.time_maa_w1", &[d, STREAMS * shift_rank])?,
            up: low_rank("attention.time_maa_w2", &[STREAMS, shift_rank, d])?,
        },
        receptance: to("attention.receptance")?,
        key: to("attention.key")?,
        value: to("attention.value")?,
        gate: to("attention.gate")?,
        decay: LowRank {
            down: low_rank("attention.time_decay_w1", &[d, decay_rank])?,
            up: low_rank("attention.time_decay_w2", &[decay_rank, width])?,
            bias: wide("attention.time_decay")?,
        },
        bonus: names.any_shape("attention.time_faaaa", &[&[width], &[1, 1, width], &heads])?,
        norm: (
            names.tensor(format_args!("attention.ln_x.weight"), &[width])?,
            names.tensor(format_args!("attention.ln_x.bias"), &[width])?,
        ),
        out_proj: names.linear("attention.output", [d, width], false)?,
    })
}

fn channel_mix<'a, S: WeightSource<'a> + ?Sized>(
    names: &Names<'_, S>,
    config: &ChannelMixConfig,
    d: usize,
) -> Bound<ChannelMixWeights<Tensor<'a>>> {
    let vector = |name: &str| names.any_shape(name, &[&[d], &[1, 1, d]]);
    Ok(ChannelMixWeights {
        shift: [vector("feed_forward.time_maa_k")?, vector("feed_forward.time_maa_r")?],
        key: names.linear("feed_forward.key", [config.hidden, d], false)?,
        value: names.linear("feed_forward.value", [d, config.hidden], false)?,
        receptance: names.linear("feed_forward.receptance", [d, d], false)?,
    })
}
