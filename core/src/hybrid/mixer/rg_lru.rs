//! Griffin's recurrent block.

use super::Pass;
use crate::backend::{Backend, Columns};
use crate::hybrid::config::RgLruConfig;
use crate::hybrid::weights::RgLruBlock;
use crate::numeric::activation::{Activation, GluDims};
use crate::recurrence::causal_conv1d::ConvDims;
use crate::scratch::Scratch;
use crate::state::{LayerState, StateMut};

impl<B: Backend> Pass<'_, '_, B> {
    /// Griffin's recurrent block (De et al. 2024, §2.3): \[x | y\] = projections; h = RG-LRU(conv(x));
    /// residual += out_proj(h ⊙ gelu(y)).
    pub(super) fn rg_lru(
        &mut self,
        config: &RgLruConfig,
        weights: &RgLruBlock<B::Weight>,
        places: &LayerState,
        recurrent: &mut B::Buffer,
    ) -> Result<(), B::Error> {
        let RgLruConfig { dims, conv_width } = *config;
        let (width, stride) = (dims.channels, 2 * dims.channels);
        self.project(&weights.x_proj, width, 0, stride)?;
        self.project(&weights.y_proj, width, width, stride)?;
        let Scratch { projected, convolved, mixed, .. } = &mut *self.scratch;
        let x = Columns::from(&**projected, stride, 0);
        let y = Columns::from(&**projected, stride, width);
        let conv = ConvDims {
            channels: width,
            width: conv_width,
            activation: Activation::Identity,
            prompt_leaves_outputs: false,
        };
        let state = StateMut { buffer: &mut *recurrent, region: places.inputs };
        self.backend.causal_conv1d(&conv, self.sequences, x, &weights.conv, state, convolved)?;
        let state = StateMut { buffer: recurrent, region: places.recurrence };
        self.backend.rg_lru(&dims, self.sequences, convolved, &weights.rg_lru, state)?;
        let activation = Activation::GeluTanh;
        let glu = GluDims { rows: self.norm.rows, width, activation, accumulate: false };
        let h = Columns::all(&**convolved, width);
        self.backend.gated_linear_unit(&glu, h, y, mixed)?;
        self.add_to_residual(&weights.out_proj, width)
    }
}
