//! The rows of a product's left side, as kernels read them.

use std::collections::TryReserveError;

use super::{MR, Packed, bf16_pair};
use crate::{
    isa::Isa,
    memory::{Kinds, reserve},
};

/// A block of 1 to [`MR`] rows: for each pair of k (or each k) one element a row.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// Pairs of bf16.
    Pairs {
        /// \[pairs, rows\].
        data: &'a [u32],
        /// Rows.
        rows: usize,
    },
    /// f32.
    Singles {
        /// \[K, rows\].
        data: &'a [f32],
        /// Rows.
        rows: usize,
    },
}

/// Rows in blocks of [`MR`], the last as long as it comes.
#[derive(Clone, Debug, Default)]
pub struct Lhs {
    pairs: Vec<u32>,
    singles: Vec<f32>,
    in_pairs: bool,
    /// Elements of a row: pairs, or K.
    depth: usize,
    rows: usize,
}

impl Lhs {
    /// Packs `rows` rows of `inputs` elements; `bf16` says of what the other side is made.
    pub fn pack<'r>(
        &mut self,
        isa: Isa,
        bf16: bool,
        (rows, inputs): (usize, usize),
        row: impl Fn(usize) -> &'r [f32],
    ) {
        self.rows = rows;
        self.in_pairs = false;
        #[cfg(target_arch = "x86_64")]
        if let (Isa::Avx512Bf16(_, proof), true) = (isa, bf16) {
            self.in_pairs = true;
            self.depth = inputs.div_ceil(2);
            crate::room(&mut self.pairs, rows * self.depth);
            let whole = rows / MR * MR;
            for first in (0..whole).step_by(MR) {
                let out = &mut self.pairs[first * self.depth..][..MR * self.depth];
                whole_block(proof, core::array::from_fn(|r| row(first + r)), out);
            }
            for r in whole..rows {
                let (start, height) = self.block(r / MR);
                let out = &mut self.pairs[start + r % MR..][..(self.depth - 1) * height + 1];
                super::bf16::interleave(proof, row(r), out, height);
            }
            return;
        }
        let _ = (isa, bf16);
        self.depth = inputs;
        crate::room(&mut self.singles, rows * inputs);
        for r in 0..rows {
            let (start, height) = self.block(r / MR);
            let out = self.singles[start + r % MR..].iter_mut().step_by(height);
            out.zip(row(r)).for_each(|(out, &x)| *out = x);
        }
    }

    /// Packs the `rows` rows of `inputs` elements (an even number) that are the columns of `of`'s rows, in pairs.
    pub fn pack_transposed<'r>(
        &mut self,
        isa: Isa,
        (rows, inputs): (usize, usize),
        of: impl Fn(usize) -> &'r [f32],
    ) {
        self.rows = rows;
        self.in_pairs = true;
        self.depth = inputs / 2;
        crate::room(&mut self.pairs, rows * self.depth);
        isa.run(
            #[inline(always)]
            || {
                for pair in 0..self.depth {
                    let both = of(2 * pair)[..rows].iter().zip(&of(2 * pair + 1)[..rows]);
                    let mut pairs = both.map(|(&low, &high)| bf16_pair(low, high));
                    for block in 0..rows.div_ceil(MR) {
                        let (start, height) = self.block(block);
                        let out = self.pairs[start + pair * height..][..height].iter_mut();
                        out.zip(&mut pairs).for_each(|(out, of)| *out = of);
                    }
                }
            },
        );
    }

    /// Where a block begins, and how many rows it has.
    fn block(&self, block: usize) -> (usize, usize) {
        (block * MR * self.depth, MR.min(self.rows - block * MR))
    }

    /// A block.
    pub fn rows(&self, block: usize) -> Rows<'_> {
        let (start, rows) = self.block(block);
        let range = start..start + rows * self.depth;
        if self.in_pairs {
            Rows::Pairs { data: &self.pairs[range], rows }
        } else {
            Rows::Singles { data: &self.singles[range], rows }
        }
    }

    /// Packs for a product with `b`.
    pub fn pack_for<'r>(
        &mut self,
        isa: Isa,
        b: &Packed,
        rows: usize,
        row: impl Fn(usize) -> &'r [f32],
    ) {
        self.pack(isa, b.is_bf16(), (rows, b.inputs()), row);
    }
}

/// Interleaves the pairs of as many rows as a block has, most of them 16 at a time.
#[cfg(target_arch = "x86_64")]
fn whole_block(proof: crate::isa::Bf16, rows: [&[f32]; MR], out: &mut [u32]) {
    use super::{Line, NR};
    let pieces = rows.map(|row| row.as_chunks::<NR>().0);
    let count = pieces.iter().map(|pieces| pieces.len()).min().unwrap_or(0);
    let (done, rest) = out.split_at_mut(count * NR / 2 * MR);
    let mut lines = [Line([0; 16]); 16];
    for (number, out) in done.as_chunks_mut::<MR>().0.chunks_exact_mut(NR / 2).enumerate() {
        let mut sixteen = [&[0.0; NR]; 16];
        sixteen.iter_mut().zip(pieces).for_each(|(row, pieces)| *row = &pieces[number]);
        super::bf16::transpose(proof, sixteen, &mut lines);
        for (out, Line(line)) in out.iter_mut().zip(&lines) {
            if let Some(pairs) = line.first_chunk() {
                *out = *pairs;
            }
        }
    }
    if !rest.is_empty() {
        for (r, row) in rows.iter().enumerate() {
            super::bf16::interleave(proof, &row[count * NR..], &mut rest[r..], MR);
        }
    }
}

/// Elements of a left side, in either form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LhsRoom {
    /// Pairs of bf16.
    pub pairs: usize,
    /// f32.
    pub singles: usize,
}

impl LhsRoom {
    /// Of `rows` rows of `inputs` elements, for other sides of these kinds.
    pub const fn new(isa: Isa, kinds: Kinds, (rows, inputs): (usize, usize)) -> Self {
        let in_pairs = kinds.bf16 && isa.has_bf16();
        let in_singles = kinds.f32 || kinds.bf16 && !isa.has_bf16();
        Self {
            pairs: if in_pairs { rows.saturating_mul(inputs.div_ceil(2)) } else { 0 },
            singles: if in_singles { rows.saturating_mul(inputs) } else { 0 },
        }
    }

    /// Room for either.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { pairs: self.pairs.max(other.pairs), singles: self.singles.max(other.singles) }
    }

    /// Bytes.
    pub const fn bytes(self) -> usize {
        self.pairs.saturating_add(self.singles).saturating_mul(size_of::<f32>())
    }
}

impl Lhs {
    /// Makes room.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve(&mut self, room: LhsRoom) -> Result<(), TryReserveError> {
        reserve(&mut self.pairs, room.pairs)?;
        reserve(&mut self.singles, room.singles)
    }
}
