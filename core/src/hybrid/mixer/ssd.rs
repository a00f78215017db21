//! Mamba-2.

use super::Pass;
use crate::backend::{Backend, Columns};
use crate::hybrid::config::SsdConfig;
use crate::hybrid::weights::SsdWeights;
use crate::numeric::{activation::Activation, norm::GatedNormDims};
use crate::recurrence::causal_conv1d::ConvDims;
use crate::scratch::Scratch;
use crate::state::{LayerState, StateMut};

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
        let conv = ConvDims {
            channels: xbc_width,
            width: ssd.conv_width,
            activation: Activation::Silu,
            prompt_leaves_outputs: false,
        };
        let state = StateMut { buffer: &mut *recurrent, region: places.inputs };
        self.backend.causal_conv1d(&conv, self.sequences, xbc, &weights.conv, state, convolved)?;
        let state = StateMut { buffer: recurrent, region: places.recurrence };
        let inputs = (&**convolved, dt);
        self.backend.ssd_scan(&dims, self.sequences, inputs, &weights.heads, state, mixed)?;
        let epsilon = self.norm.epsilon;
        let norm = GatedNormDims { rows, width: inner, groups: dims.groups, epsilon };
        self.backend.gated_rms_norm(&norm, mixed, z, &weights.norm)?;
        self.add_to_residual(&weights.out_proj, inner)
    }
}
