//! Products of many rows: how they are shared out to threads.

use core::cell::RefCell;

use longseq_core::backend::Columns;
use rayon::prelude::*;

use super::{Lhs, MR, NR, Packed, SIDE_BY_SIDE, Tile, tile, tiles};
use crate::{
    floats::Floats,
    isa::{Isa, fetch},
    lanes::put,
};

/// Fewer rows than this are shared out by panels, so that every thread reads its own part of B.
pub const FEW_ROWS: usize = 4 * MR;

/// Blocks of [`MR`] rows that a thread takes at once, at most: with a panel of B they stay in its cache.
pub const MOST_BLOCKS: usize = 12;

/// Blocks that a thread takes at once: every thread as many times as every other, at least twice.
fn share(blocks: usize, threads: usize) -> usize {
    let each = blocks.div_ceil(2 * threads * MOST_BLOCKS);
    blocks.div_ceil(2 * threads * each)
}

/// What happens to a row of C.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// \[N\], added to every row.
    pub bias: Option<&'a [f32]>,
    /// Whether C is added to what is there.
    pub accumulate: bool,
}

impl Output<'_> {
    /// Stores a panel's sums of a row; `out` are its columns of C, the first of which is `first`.
    #[inline(always)]
    fn store(&self, sums: &[f32; NR], first: usize, out: &mut [f32]) {
        let mut sums = *sums;
        if let Some(bias) = self.bias {
            sums.iter_mut().zip(&bias[first..]).for_each(|(sum, b)| *sum += b);
        }
        if self.accumulate {
            sums.iter_mut().zip(&*out).for_each(|(sum, out)| *sum += out);
        }
        put(out, &sums);
    }
}

/// C \[`rows`, N\] = A · Bᵀ: `a` \[`rows`, K\] and `out` are columns of rows that are there in full. `lhs` and `work`
/// are working memory.
pub fn product(
    isa: Isa,
    rows: usize,
    a: &Columns<&[f32]>,
    b: &Packed,
    output: Output<'_>,
    out: Columns<&mut [f32]>,
    (lhs, work): (&mut Lhs, &mut Floats),
) {
    let columns = b.outputs();
    if rows == 0 || columns == 0 {
        return;
    }
    let Columns { buffer, stride, offset } = out;
    let width = |panel: usize| NR.min(columns - panel * NR);
    if rows <= FEW_ROWS {
        lhs.pack_for(isa, b, rows, |row| &a.buffer[a.row(row, b.inputs())]);
        let work = work.room(b.panels() * rows * NR);
        let panels = work.par_chunks_mut(SIDE_BY_SIDE * rows * NR).enumerate().with_max_len(1);
        panels.for_each(|(number, out)| {
            let mut sums = [Tile::ZERO; SIDE_BY_SIDE];
            let sums = &mut sums[..out.len() / (rows * NR)];
            for block in 0..rows.div_ceil(MR) {
                tiles(isa, lhs.rows(block), b, number * SIDE_BY_SIDE, sums);
                for (out, sums) in out.chunks_exact_mut(rows * NR).zip(&*sums) {
                    let out = out.as_chunks_mut().0.iter_mut().skip(block * MR);
                    out.zip(sums.iter()).for_each(|(out, sums)| *out = *sums);
                }
            }
        });
        for (panel, sums) in work.chunks(rows * NR).enumerate() {
            for (sums, out) in sums.as_chunks::<NR>().0.iter().zip(buffer.chunks_mut(stride)) {
                output.store(sums, panel * NR, &mut out[offset + panel * NR..][..width(panel)]);
            }
        }
        return;
    }
    let share = share(rows.div_ceil(MR), rayon::current_num_threads()) * MR;
    let shares = buffer[..rows * stride].par_chunks_mut(share * stride).enumerate();
    shares.for_each(|(number, out)| {
        OWN.with_borrow_mut(|lhs| {
            let (first, rows) = (number * share, out.len() / stride);
            lhs.pack_for(isa, b, rows, |row| &a.buffer[a.row(first + row, b.inputs())]);
            let mut sums = Tile::ZERO;
            for panel in 0..b.panels() {
                for (block, out) in out.chunks_mut(MR * stride).enumerate() {
                    for out in out.chunks_mut(stride) {
                        fetch(&out[offset + panel * NR..][..width(panel)]);
                    }
                    tile(isa, lhs.rows(block), b.panel(panel), &mut sums);
                    isa.run(
                        #[inline(always)]
                        || {
                            for (sums, out) in sums.iter().zip(out.chunks_mut(stride)) {
                                let out = &mut out[offset + panel * NR..][..width(panel)];
                                output.store(sums, panel * NR, out);
                            }
                        },
                    );
                }
            }
        });
    });
}

thread_local! {
    /// Each thread's rows.
    pub static OWN: RefCell<Lhs> = RefCell::default();
}
