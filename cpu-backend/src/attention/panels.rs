//! Keys and values as the kernels read them.

use rayon::prelude::*;

use crate::{
    gemm::{Line, NR, Panel, bf16_pair},
    isa::Isa,
};

/// Positions of a block, whose first is a multiple of this.
pub const KEYS: usize = 256;

/// The form of a block of one head: panels of [`NR`] keys over the channels, then panels of [`NR`] channels over the
/// keys.
#[derive(Clone, Copy, Debug)]
pub struct BlockDims {
    /// D.
    pub head_dim: usize,
    /// Whether in pairs of bf16.
    pub in_pairs: bool,
}

impl BlockDims {
    /// Lines of a panel of this many channels or keys.
    const fn depth(self, of: usize) -> usize {
        if self.in_pairs { 2 * of.div_ceil(2) } else { 2 * of }
    }

    /// Panels of values.
    pub const fn value_panels(self) -> usize {
        self.head_dim.div_ceil(NR)
    }

    const fn key_lines(self) -> usize {
        KEYS / NR * self.depth(self.head_dim)
    }

    /// Lines of a block.
    pub const fn lines(self) -> usize {
        self.key_lines() + self.value_panels() * self.depth(KEYS)
    }

    /// A panel of a block's keys.
    pub fn keys(self, block: Panel<'_>, panel: usize) -> Panel<'_> {
        let depth = self.depth(self.head_dim);
        slice(block, panel * depth, depth)
    }

    /// A panel of a block's values, `keys` of them from `first` on (both even).
    pub fn values(
        self,
        block: Panel<'_>,
        panel: usize,
        (first, keys): (usize, usize),
    ) -> Panel<'_> {
        let start = self.key_lines() + panel * self.depth(KEYS) + self.depth(first);
        slice(block, start, self.depth(keys))
    }
}

fn slice(lines: Panel<'_>, start: usize, count: usize) -> Panel<'_> {
    match lines {
        Panel::Pairs(lines) => Panel::Pairs(&lines[start..][..count]),
        Panel::Singles(lines) => Panel::Singles(&lines[start..][..count]),
    }
}

/// Room for blocks.
#[derive(Debug, Default)]
pub struct Panels {
    pairs: Vec<Line<u32>>,
    singles: Vec<Line<f32>>,
}

impl Panels {
    /// Packs `blocks` blocks, of which `pack` packs one, shared out to threads.
    pub fn fill(&mut self, dims: BlockDims, blocks: usize, pack: impl Fn(usize, Lines<'_>) + Sync) {
        let lines = dims.lines();
        if dims.in_pairs {
            let all = room(&mut self.pairs, blocks * lines).par_chunks_mut(lines).enumerate();
            all.for_each(|(block, lines)| pack(block, Lines::Pairs(lines)));
        } else {
            let all = room(&mut self.singles, blocks * lines).par_chunks_mut(lines).enumerate();
            all.for_each(|(block, lines)| pack(block, Lines::Singles(lines)));
        }
    }

    /// A block.
    pub fn block(&self, dims: BlockDims, block: usize) -> Panel<'_> {
        let whole =
            if dims.in_pairs { Panel::Pairs(&self.pairs) } else { Panel::Singles(&self.singles) };
        slice(whole, block * dims.lines(), dims.lines())
    }
}

fn room<T: Copy + Default>(lines: &mut Vec<Line<T>>, needed: usize) -> &mut [Line<T>] {
    if lines.len() < needed {
        lines.resize(needed, Line([T::default(); 16]));
    }
    &mut lines[..needed]
}

/// A block to be packed.
#[derive(Debug)]
pub enum Lines<'a> {
    /// In bf16.
    Pairs(&'a mut [Line<u32>]),
    /// In f32.
    Singles(&'a mut [Line<f32>]),
}

impl Lines<'_> {
    /// Packs the first `slots` keys and values (a multiple of [`NR`]); `at` gives those of a slot, or zeros.
    pub fn pack<'r>(
        self,
        isa: Isa,
        dims: BlockDims,
        slots: usize,
        at: impl Fn(usize) -> Option<[&'r [f32]; 2]>,
    ) {
        let keys = dims.key_lines();
        match self {
            Self::Pairs(lines) => {
                let (keys, values) = lines.split_at_mut(keys);
                isa.run(
                    #[inline(always)]
                    || {
                        for slot in (0..slots).step_by(2) {
                            let both = [at(slot), at(slot + 1)];
                            for (slot, of) in (slot..).zip(both) {
                                key_pairs(dims, slot, of.map(|of| of[0]), keys);
                            }
                            value_pairs(dims, slot, both.map(|of| of.map(|of| of[1])), values);
                        }
                    },
                );
            }
            Self::Singles(lines) => {
                let (keys, values) = lines.split_at_mut(keys);
                isa.run(
                    #[inline(always)]
                    || {
                        for slot in 0..slots {
                            let of = at(slot);
                            key_singles(dims, slot, of.map(|of| of[0]), keys);
                            value_singles(dims, slot, of.map(|of| of[1]), values);
                        }
                    },
                );
            }
        }
    }
}

/// [`NR`] channels from `first` on, with zeros after the last.
#[inline(always)]
fn piece(row: Option<&[f32]>, first: usize) -> [f32; NR] {
    let rest = row.and_then(|row| row.get(first..)).unwrap_or(&[]);
    if let Some(piece) = rest.first_chunk() {
        return *piece;
    }
    let mut piece = [0.0; NR];
    piece.iter_mut().zip(rest).for_each(|(piece, &x)| *piece = x);
    piece
}

/// The lines of a key's panel with its column in them.
#[inline(always)]
fn column<T>(lines: &mut [Line<T>], depth: usize, slot: usize) -> impl Iterator<Item = &mut T> {
    let lines = &mut lines[slot / NR * depth..][..depth];
    lines.as_chunks_mut::<2>().0.iter_mut().map(move |line| &mut line[slot % NR / 16].0[slot % 16])
}

#[inline(always)]
fn key_pairs(dims: BlockDims, slot: usize, key: Option<&[f32]>, lines: &mut [Line<u32>]) {
    let mut column = column(lines, dims.depth(dims.head_dim), slot);
    for first in (0..dims.head_dim).step_by(NR) {
        let piece = piece(key, first);
        let mut pairs = [0; NR / 2];
        for (pair, &[low, high]) in pairs.iter_mut().zip(piece.as_chunks::<2>().0) {
            *pair = bf16_pair(low, high);
        }
        pairs.iter().zip(&mut column).for_each(|(&pair, out)| *out = pair);
    }
}

#[inline(always)]
fn value_pairs(dims: BlockDims, slot: usize, rows: [Option<&[f32]>; 2], lines: &mut [Line<u32>]) {
    for panel in 0..dims.value_panels() {
        let [low, high] = rows.map(|row| piece(row, panel * NR));
        let out = &mut lines[panel * dims.depth(KEYS) + slot..][..2];
        for (channel, (&low, &high)) in low.iter().zip(&high).enumerate() {
            out[channel / 16].0[channel % 16] = bf16_pair(low, high);
        }
    }
}

#[inline(always)]
fn key_singles(dims: BlockDims, slot: usize, key: Option<&[f32]>, lines: &mut [Line<f32>]) {
    let mut column = column(lines, dims.depth(dims.head_dim), slot);
    for first in (0..dims.head_dim).step_by(NR) {
        piece(key, first).iter().zip(&mut column).for_each(|(&x, out)| *out = x);
    }
}

#[inline(always)]
fn value_singles(dims: BlockDims, slot: usize, row: Option<&[f32]>, lines: &mut [Line<f32>]) {
    for panel in 0..dims.value_panels() {
        let piece = piece(row, panel * NR);
        let out = &mut lines[panel * dims.depth(KEYS) + 2 * slot..][..2];
        for (out, piece) in out.iter_mut().zip(piece.as_chunks::<16>().0) {
            out.0 = *piece;
        }
    }
}
