//! The rows of a product's left side, as kernels read them.

use super::{MR, Packed};
use crate::isa::Isa;

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
            grow(&mut self.pairs, rows * self.depth);
            for r in 0..rows {
                let (start, height) = self.block(r / MR);
                let out = &mut self.pairs[start + r % MR..][..(self.depth - 1) * height + 1];
                super::bf16::interleave(proof, row(r), out, height);
            }
            return;
        }
        let _ = (isa, bf16);
        self.depth = inputs;
        grow(&mut self.singles, rows * inputs);
        for r in 0..rows {
            let (start, height) = self.block(r / MR);
            let out = self.singles[start + r % MR..].iter_mut().step_by(height);
            out.zip(row(r)).for_each(|(out, &x)| *out = x);
        }
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

fn grow<T: Copy + Default>(buffer: &mut Vec<T>, needed: usize) {
    if buffer.len() < needed {
        buffer.resize(needed, T::default());
    }
}
