//! Tensors as mamba_ssm names them (state-spaces/mamba, `MambaLMHeadModel`).

use super::names::{Names, named_ends, tensor};
use super::{BindError, Bound, WeightSource};
use crate::hybrid::config::{
    AttentionConfig, FeedForward, Mixer, ModelConfig, Recurrence, SsdConfig,
};
use crate::hybrid::weights::{
    AttentionWeights, Ends, FeedForwardWeights, GatedMlpWeights, Layer, MixerWeights, Norm, Qkv,
    SsdWeights, UpGate,
};
use crate::numeric::tensor::Tensor;
use crate::recurrence::ssd::SsdHeads;

pub(super) fn ends<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
) -> Bound<Ends<Tensor<'a>>> {
    let norm = tensor(source, format_args!("backbone.norm_f.weight"), &[config.width])?;
    named_ends(config, source, ["backbone.embedding.weight", "lm_head.weight"], Norm::Rms(norm))
}

pub(super) fn layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    let d = config.width;
    let names = Names { source, stem: "backbone.layers", layer };
    let mixer = match config.mixer(layer) {
        Some(Mixer::Recurrent(Recurrence::Ssd(of))) => MixerWeights::Ssd(of, ssd(&names, &of, d)?),
        Some(Mixer::Attention(of)) => MixerWeights::Attention(of, attention(&names, &of, d)?),
        _ => return Err(BindError::OtherParts { layer }),
    };
    let mlp = |part: FeedForward| {
        let FeedForward::Gated(mlp) = part else { return Err(BindError::OtherParts { layer }) };
        let norm = names.tensor(format_args!("norm2.weight"), &[d])?;
        let up_gate = names.linear("mlp.fc1", [2 * mlp.hidden, d], mlp.bias)?;
        let down = names.linear("mlp.fc2", [d, mlp.hidden], mlp.bias)?;
        let weights = GatedMlpWeights { up_gate: UpGate::Fused(up_gate), down };
        Ok((Norm::Rms(norm), FeedForwardWeights::Gated(mlp, weights)))
    };
    Ok(Layer {
        norm: Norm::Rms(names.tensor(format_args!("norm.weight"), &[d])?),
        mixer,
        feed_forward: config.feed_forward.map(mlp).transpose()?,
    })
}

fn ssd<'a, S: WeightSource<'a> + ?Sized>(
    names: &Names<'_, S>,
    ssd: &SsdConfig,
    d: usize,
) -> Bound<SsdWeights<Tensor<'a>>> {
    let inner = ssd.dims.inner();
    let heads = [ssd.dims.heads];
    Ok(SsdWeights {
        in_proj: names.linear("mixer.in_proj", [ssd.projected(), d], ssd.projection_bias)?,
        conv: names.conv("mixer.conv1d", (ssd.dims.xbc_width(), ssd.conv_width), ssd.conv_bias)?,
        heads: SsdHeads {
            dt_bias: names.tensor(format_args!("mixer.dt_bias"), &heads)?,
            a_log: names.tensor(format_args!("mixer.A_log"), &heads)?,
            d: names.tensor(format_args!("mixer.D"), &heads)?,
        },
        norm: names.tensor(format_args!("mixer.norm.weight"), &[inner])?,
        out_proj: names.linear("mixer.out_proj", [d, inner], ssd.projection_bias)?,
    })
}

fn attention<'a, S: WeightSource<'a> + ?Sized>(
    names: &Names<'_, S>,
    attention: &AttentionConfig,
    d: usize,
) -> Bound<AttentionWeights<Tensor<'a>>> {
    let (qkv, q) = (attention.dims.qkv_width(), attention.dims.query_width());
    let conv = match attention.conv_width {
        0 => None,
        width => Some(names.conv("mixer.conv1d", (qkv, width), true)?),
    };
    Ok(AttentionWeights {
        qkv: Qkv::Fused(names.linear("mixer.in_proj", [qkv, d], attention.qkv_bias)?),
        conv,
        out_proj: names.linear("mixer.out_proj", [d, q], attention.out_bias)?,
    })
}
