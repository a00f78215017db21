//! Weights of one kind made into weights of another: how a backend takes over a bound model.

use super::weights::{
    AttentionWeights, ChannelMixWeights, Ends, FeedForwardWeights, GatedMlpWeights, Layer,
    MixerWeights, Norm, Qkv, RgLruBlock, SsdWeights, UpGate, Wkv6Weights,
};
use crate::numeric::{linear::Linear, low_rank::LowRank};
use crate::recurrence::causal_conv1d::Conv;
use crate::recurrence::rg_lru::{BlockGate, RgLruWeights};
use crate::recurrence::ssd::SsdHeads;
use crate::recurrence::token_shift::{DdLerp, STREAMS};

/// Makes weights `V` of weights `W`, told what each is for.
pub trait MapWeights<W> {
    /// What comes out.
    type Weight;
    /// What can go wrong.
    type Error;

    /// Linear maps of the same input, W \[out, in\] each, stacked into one in their order.
    ///
    /// # Errors
    /// The implementation's.
    fn linear(&mut self, maps: &[&Linear<W>]) -> Result<Linear<Self::Weight>, Self::Error>;

    /// `blocks` matrices one after the other, \[in, out\] each: not transposed as those of a linear map.
    ///
    /// # Errors
    /// The implementation's.
    fn matrices(&mut self, weight: &W, blocks: usize) -> Result<Self::Weight, Self::Error>;

    /// A table \[vocabulary, d\] of which rows are read.
    ///
    /// # Errors
    /// The implementation's.
    fn table(&mut self, weight: &W) -> Result<Self::Weight, Self::Error>;

    /// The taps of a convolution, \[C, 1, K\].
    ///
    /// # Errors
    /// The implementation's.
    fn taps(&mut self, weight: &W) -> Result<Self::Weight, Self::Error>;

    /// Anything else: vectors.
    ///
    /// # Errors
    /// The implementation's.
    fn values(&mut self, weight: &W) -> Result<Self::Weight, Self::Error>;
}

impl<W> Ends<W> {
    /// The same of other weights.
    ///
    /// # Errors
    /// The first of `to`.
    pub fn map<M: MapWeights<W>>(&self, to: &mut M) -> Result<Ends<M::Weight>, M::Error> {
        Ok(Ends {
            embedding: to.table(&self.embedding)?,
            embedding_norm: self.embedding_norm.as_ref().map(|of| norm(of, to)).transpose()?,
            norm: norm(&self.norm, to)?,
            head: to.linear(&[&self.head])?,
        })
    }
}

impl<W> Layer<W> {
    /// The same of other weights; maps of the same input are stacked.
    ///
    /// # Errors
    /// The first of `to`.
    pub fn map<M: MapWeights<W>>(&self, to: &mut M) -> Result<Layer<M::Weight>, M::Error> {
        let feed_forward = |(norm_before, of): &(Norm<W>, FeedForwardWeights<W>), to: &mut M| {
            Ok((norm(norm_before, to)?, feed_forward(of, to)?))
        };
        Ok(Layer {
            norm: norm(&self.norm, to)?,
            mixer: mixer(&self.mixer, to)?,
            feed_forward: self.feed_forward.as_ref().map(|of| feed_forward(of, to)).transpose()?,
        })
    }
}

fn norm<W, M: MapWeights<W>>(of: &Norm<W>, to: &mut M) -> Result<Norm<M::Weight>, M::Error> {
    Ok(match of {
        Norm::Rms(weight) => Norm::Rms(to.values(weight)?),
        Norm::RmsOnePlus(weight) => Norm::RmsOnePlus(to.values(weight)?),
        Norm::Layer { weight, bias } => {
            Norm::Layer { weight: to.values(weight)?, bias: to.values(bias)? }
        }
    })
}

fn mixer<W, M: MapWeights<W>>(
    of: &MixerWeights<W>,
    to: &mut M,
) -> Result<MixerWeights<M::Weight>, M::Error> {
    Ok(match of {
        MixerWeights::Ssd(config, of) => MixerWeights::Ssd(*config, ssd(of, to)?),
        MixerWeights::RgLru(config, of) => {
            MixerWeights::RgLru(*config, rg_lru(of, config.dims.blocks, to)?)
        }
        MixerWeights::Wkv6(config, of) => MixerWeights::Wkv6(*config, wkv6(of, to)?),
        MixerWeights::Attention(config, of) => MixerWeights::Attention(*config, attention(of, to)?),
    })
}

fn conv<W, M: MapWeights<W>>(of: &Conv<W>, to: &mut M) -> Result<Conv<M::Weight>, M::Error> {
    let bias = of.bias.as_ref().map(|bias| to.values(bias)).transpose()?;
    Ok(Conv { weight: to.taps(&of.weight)?, bias })
}

fn ssd<W, M: MapWeights<W>>(
    of: &SsdWeights<W>,
    to: &mut M,
) -> Result<SsdWeights<M::Weight>, M::Error> {
    Ok(SsdWeights {
        in_proj: to.linear(&[&of.in_proj])?,
        conv: conv(&of.conv, to)?,
        heads: SsdHeads {
            dt_bias: to.values(&of.heads.dt_bias)?,
            a_log: to.values(&of.heads.a_log)?,
            d: to.values(&of.heads.d)?,
        },
        norm: to.values(&of.norm)?,
        out_proj: to.linear(&[&of.out_proj])?,
    })
}

fn attention<W, M: MapWeights<W>>(
    of: &AttentionWeights<W>,
    to: &mut M,
) -> Result<AttentionWeights<M::Weight>, M::Error> {
    let qkv = match &of.qkv {
        Qkv::Fused(map) => to.linear(&[map])?,
        Qkv::Split([q, k, v]) => to.linear(&[q, k, v])?,
    };
    Ok(AttentionWeights {
        qkv: Qkv::Fused(qkv),
        conv: of.conv.as_ref().map(|of| conv(of, to)).transpose()?,
        out_proj: to.linear(&[&of.out_proj])?,
    })
}

fn rg_lru<W, M: MapWeights<W>>(
    of: &RgLruBlock<W>,
    blocks: usize,
    to: &mut M,
) -> Result<RgLruBlock<M::Weight>, M::Error> {
    let gate = |of: &BlockGate<W>, to: &mut M| {
        Ok(BlockGate { weight: to.matrices(&of.weight, blocks)?, bias: to.values(&of.bias)? })
    };
    Ok(RgLruBlock {
        x_proj: to.linear(&[&of.x_proj])?,
        y_proj: to.linear(&[&of.y_proj])?,
        conv: conv(&of.conv, to)?,
        rg_lru: RgLruWeights {
            input_gate: gate(&of.rg_lru.input_gate, to)?,
            recurrent_gate: gate(&of.rg_lru.recurrent_gate, to)?,
            decay: to.values(&of.rg_lru.decay)?,
        },
        out_proj: to.linear(&[&of.out_proj])?,
    })
}

fn wkv6<W, M: MapWeights<W>>(
    of: &Wkv6Weights<W>,
    to: &mut M,
) -> Result<Wkv6Weights<M::Weight>, M::Error> {
    let [w, k, v, r, g] = &of.shift.streams;
    Ok(Wkv6Weights {
        shift: DdLerp {
            mixed: to.values(&of.shift.mixed)?,
            streams: [to.values(w)?, to.values(k)?, to.values(v)?, to.values(r)?, to.values(g)?],
            down: to.matrices(&of.shift.down, 1)?,
            up: to.matrices(&of.shift.up, STREAMS)?,
        },
        receptance: to.linear(&[&of.receptance])?,
        key: to.linear(&[&of.key])?,
        value: to.linear(&[&of.value])?,
        gate: to.linear(&[&of.gate])?,
        decay: LowRank {
            down: to.matrices(&of.decay.down, 1)?,
            up: to.matrices(&of.decay.up, 1)?,
            bias: to.values(&of.decay.bias)?,
        },
        bonus: to.values(&of.bonus)?,
        norm: (to.values(&of.norm.0)?, to.values(&of.norm.1)?),
        out_proj: to.linear(&[&of.out_proj])?,
    })
}

fn feed_forward<W, M: MapWeights<W>>(
    of: &FeedForwardWeights<W>,
    to: &mut M,
) -> Result<FeedForwardWeights<M::Weight>, M::Error> {
    Ok(match of {
        FeedForwardWeights::Gated(config, of) => {
            let up_gate = match &of.up_gate {
                UpGate::Fused(map) => to.linear(&[map])?,
                UpGate::Split([up, gate]) => to.linear(&[up, gate])?,
            };
            let down = to.linear(&[&of.down])?;
            let weights = GatedMlpWeights { up_gate: UpGate::Fused(up_gate), down };
            FeedForwardWeights::Gated(*config, weights)
        }
        FeedForwardWeights::ChannelMix(config, of) => {
            let [key, receptance] = &of.shift;
            let weights = ChannelMixWeights {
                shift: [to.values(key)?, to.values(receptance)?],
                key: to.linear(&[&of.key])?,
                value: to.linear(&[&of.value])?,
                receptance: to.linear(&[&of.receptance])?,
            };
            FeedForwardWeights::ChannelMix(*config, weights)
        }
    })
}
