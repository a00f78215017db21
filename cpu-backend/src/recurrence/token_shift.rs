//! Token shift, by itself and with proportions that depend on the data.

use longseq_core::{
    backend::{Columns, TokenShift},
    batch::{Sequence, Sequences},
    error::{ShapeError, enough, same},
    recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS},
    state::StateMut,
};
use rayon::prelude::*;

use super::each_sequence;
use crate::{
    Cpu, Result,
    gemm::{Output, product},
    isa::Isa,
    numeric::math::tanh,
    weight::Weight,
};

/// Rows that a thread takes at once.
const ROWS: usize = 32;

/// Elements of the output that are worth waking threads.
const SHARED: usize = 1 << 17;

impl TokenShift for Cpu {
    fn token_shift(
        &mut self,
        channels: usize,
        sequences: &Sequences<'_>,
        x: &[f32],
        proportions: &[Weight],
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result {
        let operation = "token_shift";
        same(operation, "state", channels, state.region.elements)?;
        for mu in proportions {
            same(operation, "proportions", channels, mu.values(operation)?.len())?;
        }
        let shift = Shift { operation, isa: self.isa, channels, sequences, x };
        let see = |x: &[f32], before: &[f32], out: &mut [f32]| {
            let mus = proportions.iter().flat_map(|mu| mu.values(operation));
            for (mu, out) in mus.zip(out.chunks_exact_mut(channels)) {
                for ((out, mu), (x, before)) in out.iter_mut().zip(mu).zip(x.iter().zip(before)) {
                    *out = x + (before - x) * mu;
                }
            }
        };
        Ok(shift.run((proportions.len(), out), state, true, see)?)
    }

    fn ddlerp(
        &mut self,
        dims: &DdLerpDims,
        sequences: &Sequences<'_>,
        x: &[f32],
        weights: &DdLerp<Weight>,
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result {
        let (operation, rows) = ("ddlerp", sequences.rows());
        let DdLerpDims { channels, rank } = *dims;
        let mu = weights.mixed.values(operation)?;
        check(dims, weights)?;
        same(operation, "state", channels, state.region.elements)?;
        let StateMut { buffer, region } = state;
        let Self { isa, lhs, work, between, .. } = self;
        let shift = Shift { operation, isa: *isa, channels, sequences, x };
        enough(operation, "x", rows.saturating_mul(channels), x.len())?;
        enough(operation, "out", rows.saturating_mul(channels).saturating_mul(STREAMS), out.len())?;
        let width = STREAMS * rank;
        let between = between.room(rows * (channels + width));
        let (mixed, m) = between.split_at_mut(rows * channels);
        let see = |x: &[f32], before: &[f32], out: &mut [f32]| {
            for ((out, mu), (x, before)) in out.iter_mut().zip(mu).zip(x.iter().zip(before)) {
                *out = x + (before - x) * mu;
            }
        };
        shift.run((1, mixed), StateMut { buffer: &mut *buffer, region }, false, see)?;
        let (down, ups) = (weights.down.matrix(operation)?, weights.up.matrices(operation)?);
        let none = Output { bias: None, accumulate: false };
        let to = Columns::all(&mut *m, width);
        product(*isa, rows, &Columns::all(&*mixed, channels), down, none, to, (lhs, work));
        isa.run(
            #[inline(always)]
            || m.iter_mut().for_each(|m| *m = tanh(*m)),
        );
        for (c, (up, mu)) in ups.iter().zip(&weights.streams).enumerate() {
            let output = Output { bias: Some(mu.values(operation)?), accumulate: false };
            let from = Columns::from(&*m, width, c * rank);
            let to = Columns::from(&mut *out, STREAMS * channels, c * channels);
            product(*isa, rows, &from, up, output, to, (lhs, work));
        }
        let see = |x: &[f32], before: &[f32], out: &mut [f32]| {
            for out in out.chunks_exact_mut(channels) {
                for (out, (x, before)) in out.iter_mut().zip(x.iter().zip(before)) {
                    *out = x + (before - x) * *out;
                }
            }
        };
        Ok(shift.run((STREAMS, out), StateMut { buffer, region }, true, see)?)
    }
}

fn check(dims: &DdLerpDims, weights: &DdLerp<Weight>) -> Result {
    let (operation, DdLerpDims { channels, rank }) = ("ddlerp", *dims);
    enough(operation, "extents", 1, channels.min(rank))?;
    same(operation, "mixed", channels, weights.mixed.values(operation)?.len())?;
    for stream in &weights.streams {
        same(operation, "streams", channels, stream.values(operation)?.len())?;
    }
    let down = weights.down.matrix(operation)?;
    same(operation, "W1", channels, down.inputs())?;
    same(operation, "W1", rank.saturating_mul(STREAMS), down.outputs())?;
    let ups = weights.up.matrices(operation)?;
    same(operation, "W2", STREAMS, ups.len())?;
    for up in ups {
        same(operation, "W2", rank, up.inputs())?;
        same(operation, "W2", channels, up.outputs())?;
    }
    Ok(())
}

/// Rows \[T, C\] and those before them.
struct Shift<'a> {
    operation: &'static str,
    isa: Isa,
    channels: usize,
    sequences: &'a Sequences<'a>,
    x: &'a [f32],
}

impl Shift<'_> {
    /// Hands every row, the one before it and its row of `out` \[T, streams, C\] to `see`; leaves the last row of
    /// every sequence in its state if it is to be carried on.
    fn run(
        &self,
        (streams, out): (usize, &mut [f32]),
        state: StateMut<'_, [f32]>,
        carried: bool,
        see: impl Fn(&[f32], &[f32], &mut [f32]) + Sync,
    ) -> Result<(), ShapeError> {
        let Self { operation, isa, channels, sequences, x } = *self;
        enough(operation, "x", sequences.rows().saturating_mul(channels), x.len())?;
        let width = channels.saturating_mul(streams);
        let shared = |rows: usize| rows.saturating_mul(width) >= SHARED;
        let sequence = |sequence: Sequence, state: &mut [f32], [out]: [&mut [f32]; 1]| {
            let x = &x[sequence.rows.start * channels..sequence.rows.end * channels];
            let run = |(part, out): (usize, &mut [f32])| {
                isa.run(
                    #[inline(always)]
                    || {
                        for (row, out) in (part * ROWS..).zip(out.chunks_exact_mut(width)) {
                            let from = |row: usize| &x[row * channels..][..channels];
                            let before = row.checked_sub(1).map_or(&*state, from);
                            see(from(row), before, out);
                        }
                    },
                );
            };
            if width > 0 && shared(sequence.rows.len()) {
                out.par_chunks_mut(ROWS * width).enumerate().for_each(run);
            } else if width > 0 {
                out.chunks_mut(ROWS * width).enumerate().for_each(run);
            }
            if carried {
                state.copy_from_slice(&x[x.len() - channels..]);
            }
        };
        let shared = shared(sequences.rows());
        each_sequence(operation, sequences, state, (width, [out]), shared, sequence)
    }
}
