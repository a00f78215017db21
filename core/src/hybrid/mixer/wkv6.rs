//! RWKV-6's time mix.

use super::Pass;
use crate::backend::{Backend, Columns, Wkv6Inputs};
use crate::hybrid::config::Wkv6Config;
use crate::hybrid::weights::Wkv6Weights;
use crate::numeric::linear::LinearDims;
use crate::numeric::low_rank::LowRankDims;
use crate::numeric::norm::GatedNormDims;
use crate::recurrence::token_shift::{STREAMS, Stream};
use crate::scratch::Scratch;
use crate::state::{LayerState, StateMut};

impl<B: Backend> Pass<'_, '_, B> {
    /// Time mix of RWKV-6 (Peng et al. 2024, §4.2): five streams of a token shift; r, k, v, g and the decay d of
    /// one each; residual += out_proj(norm(WKV6(r, k, v, d)) ⊙ silu(g)).
    pub(super) fn wkv6(
        &mut self,
        config: &Wkv6Config,
        weights: &Wkv6Weights<B::Weight>,
        places: &LayerState,
        recurrent: &mut B::Buffer,
    ) -> Result<(), B::Error> {
        let (rows, inputs, outputs) = (self.norm.rows, self.norm.width, config.dims.width());
        let Scratch { normed, projected, convolved, mixed, .. } = &mut *self.scratch;
        let state = StateMut { buffer: &mut *recurrent, region: places.inputs };
        let shift = config.shift(inputs);
        self.backend.ddlerp(&shift, self.sequences, normed, &weights.shift, state, convolved)?;
        // A stream and what is made of it have the same place among the five.
        let stream = |stream| (STREAMS * inputs, stream as usize * inputs);
        let place = |stream| (STREAMS * outputs, stream as usize * outputs);
        let dims = LinearDims { rows, inputs, outputs, accumulate: false };
        for (of, map) in [
            (Stream::Receptance, &weights.receptance),
            (Stream::Key, &weights.key),
            (Stream::Value, &weights.value),
            (Stream::Gate, &weights.gate),
        ] {
            let ((from, first), (to, column)) = (stream(of), place(of));
            let x = Columns::from(&**convolved, from, first);
            self.backend.linear(&dims, x, map, Columns::from(&mut **projected, to, column))?;
        }
        let ((from, first), (to, column)) = (stream(Stream::Decay), place(Stream::Decay));
        let low_rank = LowRankDims { rows, inputs, rank: config.decay_rank, outputs };
        let x = Columns::from(&**convolved, from, first);
        let out = Columns::from(&mut **projected, to, column);
        self.backend.low_rank(&low_rank, x, &weights.decay, out)?;
        let of = |stream| {
            let (stride, column) = place(stream);
            Columns::from(&**projected, stride, column)
        };
        let inputs = Wkv6Inputs {
            receptance: of(Stream::Receptance),
            key: of(Stream::Key),
            value: of(Stream::Value),
            decay: of(Stream::Decay),
        };
        let state = StateMut { buffer: recurrent, region: places.recurrence };
        let (bonus, dims) = (&weights.bonus, &config.dims);
        self.backend.wkv6_scan(dims, self.sequences, inputs, bonus, state, mixed)?;
        let (groups, epsilon) = (config.dims.heads, config.norm_epsilon);
        let norm = GatedNormDims { rows, width: outputs, groups, epsilon };
        let (weight, bias) = &weights.norm;
        self.backend.gated_group_norm(&norm, mixed, of(Stream::Gate), weight, bias)?;
        self.add_to_residual(&weights.out_proj, outputs)
    }
}
