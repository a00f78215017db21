//! What one block of keys gives to some rows of queries.

use core::ops::Range;

use super::{
    panels::{BlockDims, KEYS},
    softmax::{TAIL, Weigh, Weighed, add, join, stride},
};
use crate::{
    gemm::{Lhs, MR, NR, Panel, Tile, tile},
    isa::Isa,
};

/// Room for scores and weights of a tile's rows.
#[derive(Debug)]
pub struct Tiles {
    scores: [Tile; KEYS / NR],
    weights: [[f32; KEYS]; MR],
    pub lhs: Lhs,
}

impl Default for Tiles {
    fn default() -> Self {
        let scores = [Tile::ZERO; KEYS / NR];
        Self { scores, weights: [[0.0; KEYS]; MR], lhs: Lhs::default() }
    }
}

impl Tiles {
    /// Takes a block into the states of some rows; of its keys row r sees those in `seen(r)`.
    ///
    /// What a row does not see has no part in its operations: columns of zeros change no sum.
    pub fn attend(
        &mut self,
        isa: Isa,
        dims: BlockDims,
        queries: &Lhs,
        block: Panel<'_>,
        seen: impl Fn(usize) -> Range<usize>,
        states: &mut [f32],
    ) {
        let stride = stride(dims.head_dim);
        for (number, states) in states.chunks_mut(MR * stride).enumerate() {
            let rows = states.len() / stride;
            let mut visible = [const { 0..0 }; MR];
            let (mut start, mut end) = (KEYS, 0);
            for (row, visible) in visible.iter_mut().enumerate().take(rows) {
                *visible = seen(number * MR + row);
                if visible.start < visible.end {
                    (start, end) = (start.min(visible.start), end.max(visible.end));
                }
            }
            if start >= end {
                continue;
            }
            let first = start / NR * NR;
            let count = end.next_multiple_of(NR) - first;
            let scores = &mut self.scores[..count / NR];
            for (panel, scores) in scores.iter_mut().enumerate() {
                tile(isa, queries.rows(number), dims.keys(block, first / NR + panel), scores);
            }
            let mut weighed = [Weighed::NOTHING; MR];
            for seen in &mut visible {
                *seen = seen.start.saturating_sub(first)..seen.end.saturating_sub(first);
            }
            let (seen, weights) = (&visible[..rows], &mut self.weights);
            isa.simd(Weigh { scores, seen, weights, weighed: &mut weighed });
            self.lhs.pack(isa, dims.in_pairs, (rows, count), |row| &self.weights[row][..count]);
            let values = |panel| dims.values(block, panel, (first, count));
            merge(isa, (dims, values), self.lhs.rows(0), &weighed, states, &mut self.scores[0]);
        }
    }
}

/// Adds the weighted values of a block to the states of a tile's rows.
fn merge<'b>(
    isa: Isa,
    (dims, values): (BlockDims, impl Fn(usize) -> Panel<'b>),
    weights: crate::gemm::Rows<'_>,
    weighed: &[Weighed; MR],
    states: &mut [f32],
    sums: &mut Tile,
) {
    let stride = stride(dims.head_dim);
    let mut factors = [[1.0, 0.0]; MR];
    isa.run(
        #[inline(always)]
        || {
            let rows = states.chunks_exact_mut(stride).zip(weighed).zip(&mut factors);
            for ((state, weighed), factors) in rows.filter(|((_, weighed), _)| weighed.sum != 0.0) {
                *factors = join(&mut state[stride - TAIL..], *weighed);
            }
        },
    );
    for panel in 0..dims.value_panels() {
        tile(isa, weights, values(panel), sums);
        isa.run(
            #[inline(always)]
            || {
                let rows =
                    states.chunks_exact_mut(stride).zip(weighed).zip(sums.iter()).zip(&factors);
                for (((state, weighed), values), factors) in rows {
                    let sums = state[panel * NR..].first_chunk_mut();
                    if let (Some(sums), true) = (sums, weighed.sum != 0.0) {
                        add(sums, values, *factors);
                    }
                }
            },
        );
    }
}
