//! What follows a mixer.

use super::Pass;
use crate::backend::{Backend, Columns};
use crate::hybrid::config::{ChannelMixConfig, GatedMlpConfig};
use crate::hybrid::weights::{ChannelMixWeights, GatedMlpWeights, UpGate};
use crate::numeric::activation::{Activation, GluDims};
use crate::numeric::linear::LinearDims;
use crate::scratch::Scratch;
use crate::state::{LayerState, StateMut};

impl<B: Backend> Pass<'_, '_, B> {
    /// Gated MLP (Shazeer 2020): residual += down(up(n) ⊙ f(gate(n))).
    pub(super) fn gated_mlp(
        &mut self,
        config: &GatedMlpConfig,
        weights: &GatedMlpWeights<B::Weight>,
    ) -> Result<(), B::Error> {
        let GatedMlpConfig { hidden, activation, .. } = *config;
        let stride = 2 * hidden;
        match &weights.up_gate {
            UpGate::Fused(map) => self.project(map, stride, 0, stride)?,
            UpGate::Split([up, gate]) => {
                self.project(up, hidden, 0, stride)?;
                self.project(gate, hidden, hidden, stride)?;
            }
        }
        let Scratch { projected, mixed, .. } = &mut *self.scratch;
        let glu = GluDims { rows: self.norm.rows, width: hidden, activation, accumulate: false };
        let up = Columns::from(&**projected, stride, 0);
        let gate = Columns::from(&**projected, stride, hidden);
        self.backend.gated_linear_unit(&glu, up, gate, mixed)?;
        self.add_to_residual(&weights.down, hidden)
    }

    /// Channel mix of RWKV-6 (Peng et al. 2024, §4.2): two streams of a token shift, nᵏ and nʳ; residual +=
    /// value(max(key(nᵏ), 0)²) ⊙ σ(receptance(nʳ)).
    pub(super) fn channel_mix(
        &mut self,
        config: &ChannelMixConfig,
        weights: &ChannelMixWeights<B::Weight>,
        places: &LayerState,
        recurrent: &mut B::Buffer,
    ) -> Result<(), B::Error> {
        let (rows, width, hidden) = (self.norm.rows, self.norm.width, config.hidden);
        let stride = hidden + width;
        let Scratch { residual, normed, projected, convolved, mixed } = &mut *self.scratch;
        let state = StateMut { buffer: recurrent, region: places.feed_forward };
        let shift = &weights.shift;
        self.backend.token_shift(width, self.sequences, normed, shift, state, convolved)?;
        let n = |place| Columns::from(&**convolved, 2 * width, place * width);
        let up = LinearDims { rows, inputs: width, outputs: hidden, accumulate: false };
        let key = Columns::from(&mut **projected, stride, 0);
        self.backend.linear(&up, n(0), &weights.key, key)?;
        let key = Columns::from(&mut **projected, stride, 0);
        self.backend.squared_relu(rows, hidden, key)?;
        let down = LinearDims { inputs: hidden, outputs: width, ..up };
        let key = Columns::from(&**projected, stride, 0);
        self.backend.linear(&down, key, &weights.value, Columns::all(&mut **mixed, width))?;
        let across = LinearDims { inputs: width, ..down };
        let receptance = Columns::from(&mut **projected, stride, hidden);
        self.backend.linear(&across, n(1), &weights.receptance, receptance)?;
        let glu = GluDims { rows, width, activation: Activation::Sigmoid, accumulate: true };
        let receptance = Columns::from(&**projected, stride, hidden);
        let value = Columns::all(&**mixed, width);
        self.backend.gated_linear_unit(&glu, value, receptance, residual)
    }
}
