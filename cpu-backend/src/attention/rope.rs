//! Rotations of a call's positions, for all heads and layers.

use longseq_core::{
    attention::{
        grouped_query_attention::AttentionDims,
        rope::{rope, rope_frequencies, rope_rotation},
    },
    batch::Sequences,
};
use rayon::prelude::*;

/// Angles that a thread turns into sines and cosines at once, at least.
const LEAST: usize = 512;

/// cos φ and sin φ of every row of a call. The next layer's call asks for the same ones.
#[derive(Debug, Default)]
pub struct Rotations {
    base: f64,
    pub frequencies: Vec<f32>,
    pub positions: Vec<usize>,
    /// \[rows, 2, r/2\].
    pub table: Vec<f32>,
}

impl Rotations {
    /// Makes those of these rows, unless they are there.
    pub fn prepare(&mut self, dims: &AttentionDims, sequences: &Sequences<'_>) {
        let pairs = dims.rotary / 2;
        let positions = || sequences.iter().flat_map(|of| (of.position..).take(of.rows.len()));
        let made = self.base.to_bits() == dims.rope_base.to_bits();
        if pairs == 0 || made && self.frequencies.len() == pairs && self.is_for(positions()) {
            self.frequencies.truncate(pairs);
            return;
        }
        self.base = dims.rope_base;
        self.frequencies.resize(pairs, 0.0);
        rope_frequencies(dims.rope_base, &mut self.frequencies);
        self.positions.clear();
        self.positions.extend(positions());
        let table = crate::room(&mut self.table, self.positions.len() * 2 * pairs);
        let rows = table.par_chunks_mut(2 * pairs).zip(&self.positions);
        rows.with_min_len((LEAST / pairs).max(1)).for_each(|(row, &position)| {
            let (cos, sin) = row.split_at_mut(pairs);
            rope_rotation(position, &self.frequencies, cos, sin);
        });
    }

    fn is_for(&self, positions: impl Iterator<Item = usize>) -> bool {
        positions.eq(self.positions.iter().copied())
    }

    /// Rotates the heads \[heads, D\] of a row.
    #[inline(always)]
    pub fn rotate(&self, row: usize, heads: &mut [f32], head_dim: usize) {
        let pairs = self.frequencies.len();
        let (cos, sin) = self.table[row * 2 * pairs..][..2 * pairs].split_at(pairs);
        heads.chunks_exact_mut(head_dim).for_each(|head| rope(head, cos, sin));
    }
}
