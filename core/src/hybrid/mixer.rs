//! The parts of a layer: mixers and MLP, each from the normed stream back onto the residual stream.

use super::config::{AttentionConfig, SsdConfig};
use super::weights::{AttentionWeights, MlpWeights, Qkv, SsdWeights, UpGate};
use crate::backend::{Backend, Columns};
use crate::batch::Sequences;
use crate::numeric::linear::{Linear, LinearDims};
use crate::numeric::norm::{GatedNormDims, NormDims};
use crate::recurrence::causal_conv1d::{Activation, ConvDims};
use crate::scratch::Scratch;
use crate::state::{LayerState, StateMut};

/// One layer's share of a forward pass.
pub(super) struct Pass<'p, 's, B: Backend> {
    pub(super) backend: &'p mut B,
    pub(super) sequences: &'p Sequences<'p>,
    /// Of the norms over the residual stream.
    pub(super) norm: NormDims,
    pub(super) scratch: &'p mut Scratch<'s, B::Buffer>,
}

impl<B: Backend> Pass<'_, '_, B> {
    /// Mamba-2 (Dao and Gu 2024, §7): \[z | xBC | dt\] = in_proj; xBC = silu(conv(xBC)); y = SSD(xBC, dt);
    /// residual += out_proj(norm(y ⊙ silu(z))).
    pub(super) fn ssd(
        &mut self,
        ssd: &SsdConfig,
        weights: &SsdWeights<B::Weight>,
        places: &LayerState,
        recurrent: &mut B::Buffer,
    ) -> Result<(), B::Error> {
        let (dims, rows, stride) = (ssd.dims, self.norm.rows, ssd.projected());
        let (inner, xbc_width) = (dims.inner(), dims.xbc_width());
        self.project(&weights.in_proj, stride, 0, stride)?;
        let Scratch { projected, convolved, mixed, .. } = &mut *self.scratch;
        let z = Columns::from(&**projected, stride, 0);
        let xbc = Columns::from(&**projected, stride, inner);
        let dt = Columns::from(&**projected, stride, inner + xbc_width);
        let conv =
            ConvDims { channels: xbc_width, width: ssd.conv_width, activation: Activation::Silu };
        let state = StateMut { buffer: &mut *recurrent, region: places.conv };
        self.backend.causal_conv1d(&conv, self.sequences, xbc, &weights.conv, state, convolved)?;
        let state = StateMut { buffer: recurrent, region: places.ssm };
        let inputs = (&**convolved, dt);
        self.backend.ssd_scan(&dims, self.sequences, inputs, &weights.heads, state, mixed)?;
        let epsilon = self.norm.epsilon;
        let norm = GatedNormDims { rows, width: inner, groups: dims.groups, epsilon };
        self.backend.gated_rms_norm(&norm, mixed, z, &weights.norm)?;
        self.add_to_residual(&weights.out_proj, inner)
    }

    /// Attention: \[q | k | v\] = qkv projection, convolved in some models; residual +=
    /// out_proj(attention(q, k, v)).
    pub(super) fn attention(
        &mut self,
        attention: &AttentionConfig,
        weights: &AttentionWeights<B::Weight>,
        places: &LayerState,
        recurrent: &mut B::Buffer,
        cache: &mut B::Buffer,
    ) -> Result<(), B::Error> {
        let dims = attention.dims;
        let (q, kv, width) = (dims.query_width(), dims.kv_width(), dims.qkv_width());
        match &weights.qkv {
            Qkv::Fused(map) => self.project(map, width, 0, width)?,
            Qkv::Split([to_q, to_k, to_v]) => {
                self.project(to_q, q, 0, width)?;
                self.project(to_k, kv, q, width)?;
                self.project(to_v, kv, q + kv, width)?;
            }
        }
        let Scratch { projected, convolved, mixed, .. } = &mut *self.scratch;
        let qkv = if let Some(conv) = &weights.conv {
            let activation = Activation::Identity;
            let dims = ConvDims { channels: width, width: attention.conv_width, activation };
            let state = StateMut { buffer: recurrent, region: places.conv };
            let x = Columns::all(&**projected, width);
            self.backend.causal_conv1d(&dims, self.sequences, x, conv, state, convolved)?;
            &**convolved
        } else {
            &**projected
        };
        let cache = StateMut { buffer: cache, region: places.cache };
        let kv = &places.kv;
        self.backend.grouped_query_attention(&dims, self.sequences, qkv, kv, cache, mixed)?;
        self.add_to_residual(&weights.out_proj, q)
    }

    /// Gated MLP (Shazeer 2020): residual += down(up(n) ⊙ silu(gate(n))), n = norm(residual).
    pub(super) fn mlp(&mut self, mlp: &MlpWeights<B::Weight>) -> Result<(), B::Error> {
        let Scratch { residual, normed, .. } = &mut *self.scratch;
        self.backend.rms_norm(&self.norm, residual, &mlp.norm, normed)?;
        let hidden = mlp.hidden;
        match &mlp.up_gate {
            UpGate::Fused(map) => self.project(map, 2 * hidden, 0, 2 * hidden)?,
            UpGate::Split([up, gate]) => {
                self.project(up, hidden, 0, 2 * hidden)?;
                self.project(gate, hidden, hidden, 2 * hidden)?;
            }
        }
        let Scratch { projected, mixed, .. } = &mut *self.scratch;
        self.backend.swiglu(self.norm.rows, hidden, projected, mixed)?;
        self.add_to_residual(&mlp.down, hidden)
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
        self.backend.linear(&dims, normed, map, out)
    }

    /// `mixed`, of `inputs` columns, → added to `residual`.
    fn add_to_residual(&mut self, map: &Linear<B::Weight>, inputs: usize) -> Result<(), B::Error> {
        let NormDims { rows, width, .. } = self.norm;
        let dims = LinearDims { rows, inputs, outputs: width, accumulate: true };
        let Scratch { mixed, residual, .. } = &mut *self.scratch;
        self.backend.linear(&dims, mixed, map, Columns::all(&mut **residual, width))
    }
}
