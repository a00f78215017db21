//! The parts of a layer: mixers and what follows them, each from the normed stream back onto the residual
//! stream.

mod attention;
mod feed_forward;
mod rg_lru;
mod ssd;
mod wkv6;

use super::weights::{FeedForwardWeights, MixerWeights, Norm};
use crate::backend::{Backend, Columns};
use crate::batch::Sequences;
use crate::numeric::linear::{Linear, LinearDims};
use crate::numeric::norm::NormDims;
use crate::scratch::Scratch;
use crate::state::LayerState;

/// One layer's share of a forward pass.
pub(super) struct Pass<'p, 's, B: Backend> {
    pub(super) backend: &'p mut B,
    pub(super) sequences: &'p Sequences<'p>,
    /// Of the norms over the residual stream.
    pub(super) norm: NormDims,
    pub(super) scratch: &'p mut Scratch<'s, B::Buffer>,
}

/// The norm of every row of `x`.
pub(super) fn norm<B: Backend>(
    backend: &mut B,
    dims: &NormDims,
    weights: &Norm<B::Weight>,
    x: &B::Buffer,
    out: &mut B::Buffer,
) -> Result<(), B::Error> {
    match weights {
        Norm::Rms(weight) => backend.rms_norm(dims, x, weight, false, out),
        Norm::RmsOnePlus(weight) => backend.rms_norm(dims, x, weight, true, out),
        Norm::Layer { weight, bias } => backend.layer_norm(dims, x, weight, bias, out),
    }
}

impl<B: Backend> Pass<'_, '_, B> {
    /// The norm of the residual stream.
    pub(super) fn norm(&mut self, weights: &Norm<B::Weight>) -> Result<(), B::Error> {
        let Scratch { residual, normed, .. } = &mut *self.scratch;
        norm(self.backend, &self.norm, weights, residual, normed)
    }

    /// residual += mixer(normed).
    pub(super) fn mix(
        &mut self,
        weights: &MixerWeights<B::Weight>,
        places: &LayerState,
        (recurrent, cache): (&mut B::Buffer, &mut B::Buffer),
    ) -> Result<(), B::Error> {
        match weights {
            MixerWeights::Ssd(config, weights) => self.ssd(config, weights, places, recurrent),
            MixerWeights::RgLru(config, weights) => self.rg_lru(config, weights, places, recurrent),
            MixerWeights::Wkv6(config, weights) => self.wkv6(config, weights, places, recurrent),
            MixerWeights::Attention(config, weights) => {
                self.attention(config, weights, places, recurrent, cache)
            }
        }
    }

    /// residual += what follows the mixer (normed).
    pub(super) fn feed_forward(
        &mut self,
        weights: &FeedForwardWeights<B::Weight>,
        places: &LayerState,
        recurrent: &mut B::Buffer,
    ) -> Result<(), B::Error> {
        match weights {
            FeedForwardWeights::Gated(config, weights) => self.gated_mlp(config, weights),
            FeedForwardWeights::ChannelMix(config, weights) => {
                self.channel_mix(config, weights, places, recurrent)
            }
        }
    }

    /// `normed` → columns `offset..offset + outputs` of `projected`, whose rows have `stride` elements.
    fn project(
        &mut self,
        map: &Linear<B::Weight>,
        outputs: usize,
        offset: usize,
        stride: usize,
    ) -> Result<(), B::Error> {
        let NormDims { rows, width: inputs, .. } = self.norm;
        let dims = LinearDims { rows, inputs, outputs, accumulate: false };
        let Scratch { normed, projected, .. } = &mut *self.scratch;
        let out = Columns::from(&mut **projected, stride, offset);
        self.backend.linear(&dims, Columns::all(&**normed, inputs), map, out)
    }

    /// `mixed`, of `inputs` columns, → added to `residual`.
    fn add_to_residual(&mut self, map: &Linear<B::Weight>, inputs: usize) -> Result<(), B::Error> {
        let NormDims { rows, width, .. } = self.norm;
        let dims = LinearDims { rows, inputs, outputs: width, accumulate: true };
        let Scratch { mixed, residual, .. } = &mut *self.scratch;
        let x = Columns::all(&**mixed, inputs);
        self.backend.linear(&dims, x, map, Columns::all(&mut **residual, width))
    }
}
