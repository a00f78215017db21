//! The real-gated linear recurrent unit: gates as products, then the recurrence over channels side by side.

use longseq_core::{
    backend::{Columns, RgLru},
    batch::{Sequence, Sequences},
    error::{enough, same},
    recurrence::rg_lru::{GATE_STRENGTH, RgLruDims, RgLruWeights},
    state::StateMut,
};
use rayon::prelude::*;

use super::each_sequence;
use crate::{
    Cpu, Result,
    gemm::{Output, product},
    isa::Isa,
    numeric::math::{exp, expm1, sigmoid, softplus},
    weight::Weight,
};

/// Rows that a thread takes at once.
const ROWS: usize = 16;

/// Elements of the output that are worth waking threads.
const SHARED: usize = 1 << 15;

impl RgLru for Cpu {
    fn rg_lru(
        &mut self,
        dims: &RgLruDims,
        sequences: &Sequences<'_>,
        x: &mut [f32],
        weights: &RgLruWeights<Weight>,
        state: StateMut<'_, [f32]>,
    ) -> Result {
        let (operation, rows, channels) = ("rg_lru", sequences.rows(), dims.channels);
        check(dims, weights, state.region.elements)?;
        enough(operation, "x", rows.saturating_mul(channels), x.len())?;
        let StateMut { buffer, region } = state;
        let Self { isa, lhs, work, between, .. } = self;
        let between = between.room(channels + rows * 2 * channels);
        let (decay, gates) = between.split_at_mut(channels);
        let (isa, block_width) = (*isa, dims.block_width());
        for (place, gate) in [&weights.input_gate, &weights.recurrent_gate].into_iter().enumerate()
        {
            let bias = gate.bias.values(operation)?;
            for (block, matrix) in gate.weight.matrices(operation)?.iter().enumerate() {
                let first = block * block_width;
                let output = Output { bias: Some(&bias[first..]), accumulate: false };
                let v = Columns::from(&*x, channels, first);
                let to = Columns::from(&mut *gates, 2 * channels, place * channels + first);
                product(isa, rows, &v, matrix, output, to, (lhs, work));
            }
        }
        let lambda = weights.decay.values(operation)?;
        isa.run(
            #[inline(always)]
            || decay.iter_mut().zip(lambda).for_each(|(decay, &x)| *decay = softplus(x)),
        );
        let (v, decay, shared) = (&*x, &*decay, rows * channels >= SHARED);
        let prepare = |sequence: Sequence, _: &mut [f32], [gates]: [&mut [f32]; 1]| {
            let run = |(part, gates): (usize, &mut [f32])| {
                let first = part * ROWS;
                let reset = sequence.position == 0 && first == 0;
                let v = &v[(sequence.rows.start + first) * channels..];
                factors(isa, reset, v, decay, gates);
            };
            if sequence.rows.len() * channels >= SHARED {
                gates.par_chunks_mut(ROWS * 2 * channels).enumerate().for_each(run);
            } else {
                gates.chunks_mut(ROWS * 2 * channels).enumerate().for_each(run);
            }
        };
        let state = StateMut { buffer: &mut *buffer, region };
        each_sequence(operation, sequences, state, (2 * channels, [gates]), shared, prepare)?;
        let gates = &*gates;
        let advance = |sequence: Sequence, h: &mut [f32], [x]: [&mut [f32]; 1]| {
            if sequence.position == 0 {
                h.fill(0.0);
            }
            advance(isa, &gates[sequence.rows.start * 2 * channels..], h, x);
        };
        let state = StateMut { buffer, region };
        each_sequence(operation, sequences, state, (channels, [x]), shared, advance)?;
        Ok(())
    }
}

fn check(dims: &RgLruDims, weights: &RgLruWeights<Weight>, state: usize) -> Result {
    let (operation, width) = ("rg_lru", dims.block_width());
    enough(operation, "extents", 1, dims.channels.min(dims.blocks))?;
    same(operation, "blocks", dims.channels, width.saturating_mul(dims.blocks))?;
    for gate in [&weights.input_gate, &weights.recurrent_gate] {
        let blocks = gate.weight.matrices(operation)?;
        same(operation, "gate", dims.blocks, blocks.len())?;
        for block in blocks {
            same(operation, "gate", width, block.inputs())?;
            same(operation, "gate", width, block.outputs())?;
        }
        same(operation, "gate bias", dims.channels, gate.bias.values(operation)?.len())?;
    }
    same(operation, "decay", dims.channels, weights.decay.values(operation)?.len())?;
    same(operation, "state", dims.channels, state)?;
    Ok(())
}

/// Of gates i and r before σ, side by side in every row, makes √(1 − a²) σ(i) v and a. In the first row, if that is
/// a `reset`, these are σ(i) v and 0.
fn factors(isa: Isa, reset: bool, v: &[f32], decay: &[f32], gates: &mut [f32]) {
    let channels = decay.len();
    isa.run(
        #[inline(always)]
        || {
            let rows = gates.chunks_exact_mut(2 * channels).zip(v.chunks_exact(channels));
            for (row, (gates, v)) in rows.enumerate() {
                let (inputs, decays) = gates.split_at_mut(channels);
                let gates = inputs.iter_mut().zip(decays);
                if reset && row == 0 {
                    for ((i, r), v) in gates.zip(v) {
                        (*i, *r) = (sigmoid(*i) * v, 0.0);
                    }
                } else {
                    for ((i, r), (v, decay)) in gates.zip(v.iter().zip(decay)) {
                        let log_a = -GATE_STRENGTH as f32 * sigmoid(*r) * decay;
                        *i = (-expm1(log_a + log_a)).sqrt() * (sigmoid(*i) * v);
                        *r = exp(log_a);
                    }
                }
            }
        },
    );
}

/// h = a h + input, row by row; every row of `x` becomes its h.
fn advance(isa: Isa, factors: &[f32], h: &mut [f32], x: &mut [f32]) {
    let channels = h.len();
    isa.run(
        #[inline(always)]
        || {
            let rows = x.chunks_exact_mut(channels).zip(factors.chunks_exact(2 * channels));
            for (x, factors) in rows {
                let (inputs, decays) = factors.split_at(channels);
                let h = h.iter_mut().zip(x);
                for ((h, x), (input, a)) in h.zip(inputs.iter().zip(decays)) {
                    *h = a * *h + input;
                    *x = *h;
                }
            }
        },
    );
}
