//! Keys and values as the kernels read them.

use core::array;

use rayon::prelude::*;

use crate::{
    gemm::{Line, NR, Panel, pack_columns, pack_rows},
    isa::Isa,
};

/// Positions of a block, whose first is a multiple of this.
pub const KEYS: usize = 128;

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
    pub pairs: Vec<Line<u32>>,
    pub singles: Vec<Line<f32>>,
}

impl Panels {
    /// Packs `blocks` blocks, of which `pack` packs `together` neighbours at once, shared out to threads.
    pub fn fill(
        &mut self,
        dims: BlockDims,
        (blocks, together): (usize, usize),
        pack: impl Fn(usize, Lines<'_>) + Sync,
    ) {
        let (lines, share) = (blocks * dims.lines(), together * dims.lines());
        if dims.in_pairs {
            let all = crate::room(&mut self.pairs, lines).par_chunks_mut(share).enumerate();
            all.for_each(|(share, lines)| pack(share * together, Lines::Pairs(lines)));
        } else {
            let all = crate::room(&mut self.singles, lines).par_chunks_mut(share).enumerate();
            all.for_each(|(share, lines)| pack(share * together, Lines::Singles(lines)));
        }
    }

    /// A block.
    pub fn block(&self, dims: BlockDims, block: usize) -> Panel<'_> {
        let whole =
            if dims.in_pairs { Panel::Pairs(&self.pairs) } else { Panel::Singles(&self.singles) };
        slice(whole, block * dims.lines(), dims.lines())
    }
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
    /// Packs the first `slots` keys and values (a multiple of [`NR`]) of a block of each of these heads; `at` gives
    /// those of a head and a slot, or zeros. Rows hold all heads, so heads are done together, 16 rows at a time.
    pub fn pack<'r>(
        self,
        isa: Isa,
        dims: BlockDims,
        slots: usize,
        at: impl Fn(usize, usize) -> Option<[&'r [f32]; 2]>,
    ) {
        let keys = dims.key_lines();
        match self {
            Self::Pairs(lines) => {
                for first in (0..slots).step_by(16) {
                    for (head, lines) in (0..).zip(lines.chunks_exact_mut(dims.lines())) {
                        let (keys, values) = lines.split_at_mut(keys);
                        let rows: [_; 16] = array::from_fn(|slot| at(head, first + slot));
                        key_pairs(isa, dims, first, rows.map(|row| row.map(|of| of[0])), keys);
                        let rows = rows.map(|row| row.map(|of| of[1]));
                        value_pairs(isa, dims, first, rows, values);
                    }
                }
            }
            Self::Singles(lines) => {
                for slot in 0..slots {
                    for (head, lines) in (0..).zip(lines.chunks_exact_mut(dims.lines())) {
                        let (keys, values) = lines.split_at_mut(keys);
                        let of = at(head, slot);
                        isa.run(
                            #[inline(always)]
                            || {
                                key_singles(dims, slot, of.map(|of| of[0]), keys);
                                value_singles(dims, slot, of.map(|of| of[1]), values);
                            },
                        );
                    }
                }
            }
        }
    }
}

/// [`NR`] channels from `first` on, with zeros after the last, which `room` is for.
#[inline(always)]
fn piece<'r>(row: Option<&'r [f32]>, first: usize, room: &'r mut [f32; NR]) -> &'r [f32; NR] {
    let rest = row.and_then(|row| row.get(first..)).unwrap_or(&[]);
    if let Some(piece) = rest.first_chunk() {
        return piece;
    }
    room.fill(0.0);
    room[..rest.len()].copy_from_slice(rest);
    room
}

/// [`piece`] of each row.
fn pieces<'r>(
    rows: [Option<&'r [f32]>; 16],
    first: usize,
    rooms: &'r mut [[f32; NR]; 16],
) -> [&'r [f32; NR]; 16] {
    let mut pieces = [&[0.0; NR]; 16];
    for ((out, row), room) in pieces.iter_mut().zip(rows).zip(rooms) {
        *out = piece(row, first, room);
    }
    pieces
}

/// Packs 16 keys from slot `first` on.
fn key_pairs(
    isa: Isa,
    dims: BlockDims,
    first: usize,
    rows: [Option<&[f32]>; 16],
    lines: &mut [Line<u32>],
) {
    let depth = dims.depth(dims.head_dim);
    let panel = &mut lines[first / NR * depth..][..depth];
    let mut rooms = [[0.0; NR]; 16];
    for (number, lines) in (0..).zip(panel.chunks_mut(NR)) {
        pack_columns(isa, pieces(rows, number * NR, &mut rooms), first % NR / 16, lines);
    }
}

/// Packs 16 values from slot `first` on.
fn value_pairs(
    isa: Isa,
    dims: BlockDims,
    first: usize,
    rows: [Option<&[f32]>; 16],
    lines: &mut [Line<u32>],
) {
    let mut rooms = [[0.0; NR]; 16];
    for panel in 0..dims.value_panels() {
        let lines = &mut lines[panel * dims.depth(KEYS) + first..][..16];
        let pieces = pieces(rows, panel * NR, &mut rooms);
        pack_rows(isa, |slot| pieces[slot], lines);
    }
}

#[inline(always)]
fn key_singles(dims: BlockDims, slot: usize, key: Option<&[f32]>, lines: &mut [Line<f32>]) {
    let depth = dims.depth(dims.head_dim);
    let lines = &mut lines[slot / NR * depth..][..depth];
    let mut lines = lines.as_chunks_mut::<2>().0.iter_mut();
    for first in (0..dims.head_dim).step_by(NR) {
        let mut room = [0.0; NR];
        let piece = piece(key, first, &mut room);
        for (lines, &x) in lines.by_ref().take(NR).zip(piece) {
            lines[slot % NR / 16].0[slot % 16] = x;
        }
    }
}

#[inline(always)]
fn value_singles(dims: BlockDims, slot: usize, row: Option<&[f32]>, lines: &mut [Line<f32>]) {
    for panel in 0..dims.value_panels() {
        let mut room = [0.0; NR];
        let piece = piece(row, panel * NR, &mut room);
        let out = &mut lines[panel * dims.depth(KEYS) + 2 * slot..][..2];
        for (out, piece) in out.iter_mut().zip(piece.as_chunks().0) {
            out.0 = *piece;
        }
    }
}
