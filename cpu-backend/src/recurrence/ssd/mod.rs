//! The recurrence of Mamba-2: whole chunks of a sequence as products in bf16 ([`chunk`]) where the backend may round to
//! it, otherwise token by token ([`step`]).
//!
//! A head's state lies transposed, \[N, P\], so that channels of x stand side by side in vectors.

mod chunk;
mod decays;
mod room;
mod step;

use longseq_core::{
    backend::{Columns, SsdScan},
    batch::Sequences,
    error::{enough, same},
    recurrence::ssd::{SsdDims, SsdHeads},
    state::StateMut,
};

use self::step::Heads;
use super::heads::{self, BLOCK, Square};
use crate::{
    Cpu, Result,
    numeric::math::{exp, softplus},
    weight::Weight,
};

pub use self::{chunk::Chunks, room::Room, step::work};

impl SsdScan for Cpu {
    fn ssd_scan(
        &mut self,
        dims: &SsdDims,
        sequences: &Sequences<'_>,
        (xbc, dt): (&[f32], Columns<&[f32]>),
        weights: &SsdHeads<Weight>,
        state: StateMut<'_, [f32]>,
        y: &mut [f32],
    ) -> Result {
        let operation = "ssd_scan";
        let rows = sequences.rows();
        let bias = weights.dt_bias.values(operation)?;
        let (a_log, d) = (weights.a_log.values(operation)?, weights.d.values(operation)?);
        dims.check(a_log.len(), d.len(), state.region.elements)?;
        same(operation, "dt_bias", dims.heads, bias.len())?;
        enough(operation, "xBC", rows.saturating_mul(dims.xbc_width()), xbc.len())?;
        dt.check((operation, "dt"), (rows, dims.heads), dt.buffer.len())?;
        let inputs = Inputs { dims, xbc, dt, bias, a_log, d };
        let chunked = self.multiplies_pairs() && chunk::fits(dims);
        let Self { isa, ssd, between, .. } = self;
        let isa = *isa;
        if chunked {
            ssd.prepare(isa, &inputs, sequences);
        }
        let chunks = &*ssd;
        let extents = (dims.heads, dims.head_dim);
        heads::each(operation, sequences, state, extents, (y, between), |part, state, y, own| {
            if chunked && part.tokens == BLOCK {
                chunks.run(isa, &inputs, (part.row, part.head), state, y);
            } else {
                isa.simd(Square(Heads { inputs: &inputs, part, state, y, own }));
            }
        })?;
        Ok(())
    }
}

/// What a scan reads.
pub struct Inputs<'a> {
    dims: &'a SsdDims,
    xbc: &'a [f32],
    dt: Columns<&'a [f32]>,
    bias: &'a [f32],
    a_log: &'a [f32],
    d: &'a [f32],
}

impl Inputs<'_> {
    /// `width` channels of a head's x in a row, from `p` on.
    #[inline(always)]
    fn x(&self, row: usize, head: usize, p: usize, width: usize) -> &[f32] {
        &self.xbc[row * self.dims.xbc_width() + head * self.dims.head_dim + p..][..width]
    }

    /// B and C of a group in a row.
    #[inline(always)]
    fn bc(&self, row: usize, group: usize) -> [&[f32]; 2] {
        let SsdDims { state: n, .. } = *self.dims;
        let first = row * self.dims.xbc_width() + self.dims.inner() + group * n;
        [first, first + self.dims.group_width()].map(|first| &self.xbc[first..][..n])
    }

    /// The group of a head.
    fn group(&self, head: usize) -> usize {
        head / (self.dims.heads / self.dims.groups)
    }

    /// Δ of a head from row `row` on; returns its A.
    #[inline(always)]
    fn read_steps(&self, (row, head): (usize, usize), steps: &mut [f32]) -> f32 {
        for (token, step) in steps.iter_mut().enumerate() {
            *step = self.dt.buffer[self.dt.row(row + token, self.dims.heads)][head];
        }
        for step in steps {
            *step = softplus(*step + self.bias[head]);
        }
        -exp(self.a_log[head])
    }
}
