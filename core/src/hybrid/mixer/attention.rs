//! Attention.

use super::Pass;
use crate::backend::{Backend, Columns};
use crate::hybrid::config::AttentionConfig;
use crate::hybrid::weights::{AttentionWeights, Qkv};
use crate::numeric::activation::Activation;
use crate::recurrence::causal_conv1d::ConvDims;
use crate::scratch::Scratch;
use crate::state::{LayerState, StateMut};

impl<B: Backend> Pass<'_, '_, B> {
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
            let dims = ConvDims {
                channels: width,
                width: attention.conv_width,
                activation: Activation::Identity,
                prompt_leaves_outputs: attention.prompt_leaves_conv_outputs,
            };
            let state = StateMut { buffer: recurrent, region: places.inputs };
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
}
