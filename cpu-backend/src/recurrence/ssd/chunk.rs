//! The chunked form (Dao and Gu 2024, §6) in products of bf16; the state and all sums stay in f32.
//!
//! With c(j, i) = Σ_{j < s ≤ i} Δₛ A in a chunk of Q tokens and S the state before it:
//!
//! Y = e^c(0, i) ∘ (C Sᵀ) + (C Bᵀ ∘ e^c(j, i) Δⱼ, j ≤ i) X + D X, Sᵀ ← e^c(0, Q) Sᵀ + Bᵀ (e^c(j, Q) Δⱼ ∘ X)
//!
//! C, B and C Bᵀ are the same for all heads of a group and made once.

use core::{array, cell::RefCell};

use longseq_core::{
    batch::{Sequence, Sequences},
    recurrence::ssd::SsdDims,
};
use rayon::prelude::*;

use super::{super::heads::BLOCK, Inputs, decays::Decays};
use crate::{
    floats::Floats,
    gemm::{Lhs, Line, MR, NR, Panel, Tile, pack_columns, pack_rows, tile},
    isa::Isa,
};

/// Whether the products of these sizes are made of whole panels.
pub fn fits(dims: &SsdDims) -> bool {
    dims.head_dim.is_multiple_of(NR) && dims.state.is_multiple_of(NR)
}

/// What the heads of a group share, of all chunks of a call.
#[derive(Debug, Default)]
pub struct Chunks {
    /// \[chunks, G\], a chunk being found by ⌊its first row / Q⌋: no two have the same.
    pub shared: Vec<Shared>,
}

/// Of one chunk and group.
#[derive(Debug, Default)]
pub struct Shared {
    /// The chunk's first row, if there is one here.
    row: Option<usize>,
    /// C \[Q, N\].
    pub c: Lhs,
    /// Bᵀ \[N, Q\].
    pub b: Lhs,
    /// C Bᵀ \[Q, Q\].
    pub cb: Floats,
}

/// A thread's own memory.
#[derive(Debug, Default)]
pub struct Own {
    /// A panel of a product's right side.
    pub panel: Vec<Line<u32>>,
    /// Panels of Sᵀ \[N, P\] and of X \[Q, P\].
    pub state: Vec<Line<u32>>,
    pub x: Vec<Line<u32>>,
    /// e^c(j, Q) Δⱼ ∘ X, then some rows of C Bᵀ ∘ e^c(j, i) Δⱼ.
    pub rows: Floats,
    pub lhs: Lhs,
}

thread_local! {
    pub static OWN: RefCell<Own> = RefCell::default();
}

impl Chunks {
    /// Finds the whole chunks of a call and makes what heads share.
    pub fn prepare(&mut self, isa: Isa, inputs: &Inputs<'_>, sequences: &Sequences<'_>) {
        let groups = inputs.dims.groups;
        let places = (sequences.rows() / BLOCK + 1) * groups;
        if self.shared.len() < places {
            self.shared.resize_with(places, Shared::default);
        }
        self.shared.iter_mut().for_each(|shared| shared.row = None);
        let mut any = false;
        for Sequence { rows, position, .. } in sequences.iter() {
            let first = rows.start + position.next_multiple_of(BLOCK) - position;
            for row in (first..rows.end).step_by(BLOCK).filter(|row| row + BLOCK <= rows.end) {
                let shared = &mut self.shared[row / BLOCK * groups..][..groups];
                shared.iter_mut().for_each(|shared| shared.row = Some(row));
                any = true;
            }
        }
        // A step of writing has none, and should not wake threads to find that out.
        if !any {
            return;
        }
        self.shared.par_iter_mut().enumerate().for_each(|(place, shared)| {
            if let Some(row) = shared.row {
                OWN.with_borrow_mut(|own| shared.make(isa, inputs, (row, place % groups), own));
            }
        });
    }

    /// Runs some heads, from `head` on, over the chunk at row `row`: their `state` \[heads, N, P\] and `y` \[heads, Q, P\].
    pub fn run(
        &self,
        isa: Isa,
        inputs: &Inputs<'_>,
        (row, head): (usize, usize),
        state: &mut [f32],
        y: &mut [f32],
    ) {
        let SsdDims { head_dim, state: n, groups, .. } = *inputs.dims;
        let states = state.chunks_exact_mut(n * head_dim);
        OWN.with_borrow_mut(|own| {
            for (head, (state, y)) in (head..).zip(states.zip(y.chunks_exact_mut(BLOCK * head_dim)))
            {
                let shared = &self.shared[row / BLOCK * groups + inputs.group(head)];
                let decays = Decays::new(isa, inputs, (row, head));
                own.pack(isa, inputs, (row, head), state);
                own.outputs(isa, inputs, (row, head), (shared, &decays), y);
                own.advance(isa, inputs, (row, head), (shared, &decays), state);
            }
        });
    }
}

impl Shared {
    fn make(&mut self, isa: Isa, inputs: &Inputs<'_>, (row, group): (usize, usize), own: &mut Own) {
        let n = inputs.dims.state;
        let bc = |token: usize| inputs.bc(row + token, group);
        self.c.pack(isa, true, (BLOCK, n), |token| bc(token)[1]);
        self.b.pack_transposed(isa, (n, BLOCK), |token| bc(token)[0]);
        let cb = self.cb.room(BLOCK * BLOCK);
        let panel = crate::room(&mut own.panel, n);
        let mut sums = Tile::ZERO;
        for first in (0..BLOCK).step_by(NR) {
            for (number, lines) in panel.chunks_exact_mut(NR).enumerate() {
                for half in [0, 1] {
                    let b = |token| bc(first + 16 * half + token)[0];
                    let columns = array::from_fn(|token| &b(token).as_chunks().0[number]);
                    pack_columns(isa, columns, half, lines);
                }
            }
            for (block, rows) in cb.chunks_mut(MR * BLOCK).enumerate() {
                tile(isa, self.c.rows(block), Panel::Pairs(panel), &mut sums);
                for (row, sums) in rows.chunks_exact_mut(BLOCK).zip(sums.iter()) {
                    row[first..][..NR].copy_from_slice(sums);
                }
            }
        }
    }
}

impl Own {
    /// Packs a head's state and inputs as right sides.
    fn pack(&mut self, isa: Isa, inputs: &Inputs<'_>, (row, head): (usize, usize), state: &[f32]) {
        let SsdDims { head_dim, state: n, .. } = *inputs.dims;
        let panels = head_dim / NR;
        let state_lines = crate::room(&mut self.state, n * panels);
        let x_lines = crate::room(&mut self.x, BLOCK * panels);
        let lines = state_lines.chunks_exact_mut(n).zip(x_lines.chunks_exact_mut(BLOCK));
        for (panel, (state_lines, x_lines)) in lines.enumerate() {
            pack_rows(isa, |n| &state[n * head_dim..].as_chunks().0[panel], state_lines);
            let x = |token: usize| &inputs.x(row + token, head, 0, head_dim).as_chunks().0[panel];
            pack_rows(isa, x, x_lines);
        }
    }

    /// Y, from the state before the chunk.
    fn outputs(
        &mut self,
        isa: Isa,
        inputs: &Inputs<'_>,
        (row, head): (usize, usize),
        (shared, decays): (&Shared, &Decays),
        y: &mut [f32],
    ) {
        let SsdDims { head_dim, state: n, .. } = *inputs.dims;
        let d = inputs.d[head];
        let (mut earlier, mut within) = (Tile::ZERO, Tile::ZERO);
        let rows = shared.cb.chunks(MR * BLOCK).zip(y.chunks_mut(MR * head_dim));
        for (block, (cb, y)) in rows.enumerate() {
            let first = block * MR;
            let height = cb.len() / BLOCK;
            // No row of the block sees a token beyond.
            let seen = (first + height).next_multiple_of(NR);
            let weights = self.rows.room(MR * BLOCK);
            isa.run(
                #[inline(always)]
                || {
                    let rows = weights.chunks_exact_mut(BLOCK).zip(cb.chunks_exact(BLOCK));
                    for (i, (weights, cb)) in (first..).zip(rows) {
                        decays.weigh(i, cb, &mut weights[..seen]);
                    }
                },
            );
            let weights = &*weights;
            self.lhs.pack(isa, true, (height, seen), |row| &weights[row * BLOCK..][..seen]);
            for panel in 0..head_dim / NR {
                let states = Panel::Pairs(&self.state[panel * n..][..n]);
                tile(isa, shared.c.rows(block), states, &mut earlier);
                let x = Panel::Pairs(&self.x[panel * BLOCK..][..seen]);
                tile(isa, self.lhs.rows(0), x, &mut within);
                isa.run(
                    #[inline(always)]
                    || {
                        let tiles = earlier.iter().zip(within.iter()).zip(&decays.whole[first..]);
                        let rows = y.chunks_exact_mut(head_dim).zip(tiles).enumerate();
                        for (token, (y, ((earlier, within), decay))) in rows {
                            let x = inputs.x(row + first + token, head, panel * NR, NR);
                            let y = y[panel * NR..][..NR].iter_mut();
                            let sums = earlier.iter().zip(within).zip(x);
                            for (y, ((earlier, within), x)) in y.zip(sums) {
                                *y = decay * earlier + within + d * x;
                            }
                        }
                    },
                );
            }
        }
    }

    /// The state after the chunk.
    fn advance(
        &mut self,
        isa: Isa,
        inputs: &Inputs<'_>,
        (row, head): (usize, usize),
        (shared, decays): (&Shared, &Decays),
        state: &mut [f32],
    ) {
        let head_dim = inputs.dims.head_dim;
        let scaled = self.rows.room(BLOCK * head_dim);
        isa.run(
            #[inline(always)]
            || {
                let until = decays.to_end();
                for (token, (scaled, weight)) in
                    scaled.chunks_exact_mut(head_dim).zip(until).enumerate()
                {
                    let x = inputs.x(row + token, head, 0, head_dim);
                    scaled.iter_mut().zip(x).for_each(|(scaled, x)| *scaled = weight * x);
                }
            },
        );
        let whole = decays.whole[BLOCK - 1];
        let mut sums = Tile::ZERO;
        for panel in 0..head_dim / NR {
            let lines = crate::room(&mut self.panel, BLOCK);
            pack_rows(isa, |token| &scaled[token * head_dim..].as_chunks().0[panel], lines);
            for (block, state) in state.chunks_mut(MR * head_dim).enumerate() {
                tile(isa, shared.b.rows(block), Panel::Pairs(lines), &mut sums);
                isa.run(
                    #[inline(always)]
                    || {
                        for (state, sums) in state.chunks_exact_mut(head_dim).zip(sums.iter()) {
                            let state = state[panel * NR..][..NR].iter_mut();
                            state.zip(sums).for_each(|(s, sum)| *s = whole * *s + sum);
                        }
                    },
                );
            }
        }
    }
}
