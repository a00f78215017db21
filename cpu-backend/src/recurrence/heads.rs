//! Scans of several heads, which are handed out to threads.
//!
//! A thread takes some heads over all tokens of a call, so that threads meet once a call. Of a row \[H, P\] of results
//! these heads have but a part, and a thread cannot be given the rows: it writes into memory of its own, which is put in
//! order when all heads are done.

use core::{cell::RefCell, ops::Range};

use longseq_core::{
    batch::{Sequence, Sequences},
    error::ShapeError,
    state::StateMut,
};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::each_sequence;
use crate::floats::Floats;

/// Shares of heads for every thread: of one token, which is not worth more, and of several.
const SHARES: [usize; 2] = [2, 4];

/// Products of tokens and elements of the state that are worth waking threads.
const SHARED: usize = 1 << 15;

/// Tokens of a block, the first of which stands at a multiple of this: with so many, what a tile of the state reads and
/// writes stays in the first cache.
pub const BLOCK: usize = 64;

/// Some heads over the tokens of a block that a call has: all, or those after its start or before its end.
pub struct Part {
    /// The row of the first token.
    pub row: usize,
    /// How many tokens.
    pub tokens: usize,
    /// The first head.
    pub head: usize,
}

/// A scan of some heads over the tokens of a block, in tiles of `SIDE` vectors of `SIDE` lanes.
pub trait Tiled {
    /// Runs it.
    fn run<S: Simd, const SIDE: usize>(self, simd: S);
}

/// Chooses a square tile, with as many rows as there are registers for.
pub struct Square<T>(pub T);

impl<T: Tiled> WithSimd for Square<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match size_of::<S::f32s>() / size_of::<f32>() {
            16 => self.0.run::<S, 16>(simd),
            8 => self.0.run::<S, 8>(simd),
            4 => self.0.run::<S, 4>(simd),
            _ => self.0.run::<S, 1>(simd),
        }
    }
}

/// Runs every head over every sequence: `run` gets a part, its state \[heads, …\], its results \[heads, tokens, P\] to
/// write, and working memory. `out` \[T, H, P\]; `between` is working memory of the same size.
///
/// # Errors
/// State or rows that are not there; states that overlap.
pub fn each(
    operation: &'static str,
    sequences: &Sequences<'_>,
    state: StateMut<'_, [f32]>,
    (heads, head_dim): (usize, usize),
    (out, between): (&mut [f32], &mut Floats),
    run: impl Fn(Part, &mut [f32], &mut [f32], &mut Floats) + Sync,
) -> Result<(), ShapeError> {
    let elements = state.region.elements;
    let shared = |rows: usize| rows.saturating_mul(elements) >= SHARED;
    let see = |sequence: Sequence, state: &mut [f32], [out, between]: [&mut [f32]; 2]| {
        let shared = shared(sequence.rows.len());
        scan((heads, head_dim), (&sequence, shared), state, (out, between), &run);
    };
    let width = heads.saturating_mul(head_dim);
    let outs = [out, between.room(sequences.rows().saturating_mul(width))];
    each_sequence(operation, sequences, state, (width, outs), shared(sequences.rows()), see)
}

/// The same for one sequence, shared out to threads or not. `state` \[H, …\], `out` \[T, H, P\].
fn scan(
    (heads, head_dim): (usize, usize),
    (sequence, shared): (&Sequence, bool),
    state: &mut [f32],
    (out, between): (&mut [f32], &mut [f32]),
    run: &(impl Fn(Part, &mut [f32], &mut [f32], &mut Floats) + Sync),
) {
    let (tokens, state_elements) = (sequence.rows.len(), state.len() / heads);
    let shares = SHARES[usize::from(tokens > 1)] * rayon::current_num_threads();
    let share = if shared { heads.div_ceil(shares) } else { heads };
    let first = tokens.min(BLOCK - sequence.position % BLOCK);
    let order = Order { heads, head_dim, share, tokens, first };
    // Results of one token are in order, however many heads write them together.
    let by_share = if tokens == 1 { &mut *out } else { &mut *between };
    let advance = |(number, (state, results)): (usize, (&mut [f32], &mut [f32]))| {
        let width = results.len() / tokens;
        for block in order.blocks() {
            let (row, head) = (sequence.rows.start + block.start, number * share);
            let part = Part { row, tokens: block.len(), head };
            let results = &mut results[block.start * width..block.end * width];
            OWN.with_borrow_mut(|own| run(part, state, results, own));
        }
    };
    if share < heads {
        let states = state.par_chunks_mut(share * state_elements);
        states
            .zip(by_share.par_chunks_mut(share * tokens * head_dim))
            .enumerate()
            .for_each(advance);
    } else {
        advance((0, (state, by_share)));
    }
    if tokens > 1 {
        order.copy(between, out, shared);
    }
}

/// Where the results of shares of heads lie: \[shares, blocks, heads, tokens, P\], with `share` heads to a share and
/// [`BLOCK`] tokens to a block, and fewer at the ends.
struct Order {
    heads: usize,
    head_dim: usize,
    share: usize,
    tokens: usize,
    /// Tokens of the first block.
    first: usize,
}

impl Order {
    /// The block that holds a token.
    fn block(&self, token: usize) -> Range<usize> {
        if token < self.first {
            return 0..self.first;
        }
        let start = token - (token - self.first) % BLOCK;
        start..self.tokens.min(start + BLOCK)
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let mut next = 0;
        core::iter::from_fn(move || {
            let block = (next < self.tokens).then(|| self.block(next))?;
            next = block.end;
            Some(block)
        })
    }

    /// Writes rows \[T, H, P\].
    fn copy(&self, from: &[f32], out: &mut [f32], shared: bool) {
        let Self { heads, head_dim, share, tokens, .. } = *self;
        let width = heads * head_dim;
        let rows = |(part, out): (usize, &mut [f32])| {
            for (token, row) in (part * BLOCK..).zip(out.chunks_exact_mut(width)) {
                let block = self.block(token);
                for (number, row) in row.chunks_mut(share * head_dim).enumerate() {
                    let first = number * share * tokens * head_dim + block.start * row.len();
                    let results = &from[first + (token - block.start) * head_dim..];
                    let heads = results.chunks(block.len() * head_dim);
                    for (out, head) in row.chunks_exact_mut(head_dim).zip(heads) {
                        out.copy_from_slice(&head[..head_dim]);
                    }
                }
            }
        };
        if shared {
            out.par_chunks_mut(BLOCK * width).enumerate().for_each(rows);
        } else {
            rows((0, out));
        }
    }
}

thread_local! {
    /// Each thread's working memory.
    pub static OWN: RefCell<Floats> = RefCell::default();
}

/// Vectors of a row that are advanced together.
const TOGETHER: usize = 4;

/// Whether rows of a state with so many columns are made of whole groups of vectors, as [`advance_rows`] wants them.
pub const fn has_whole_rows<const SIDE: usize>(columns: usize) -> bool {
    columns.is_multiple_of(TOGETHER * SIDE)
}

/// What one token does to a row of a state: S ← `write` x + (`keep` S), and y += `read` S.
pub struct Row {
    pub write: f32,
    pub keep: f32,
    pub read: f32,
}

/// Whether y takes up the row as it was or as it has become.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    Before,
    After,
}

/// Rows of a tile of a head's state over one token, as they lie in memory: the same operations as a tile's over
/// several, column by column. `x` and `y` are as wide as a row.
#[inline(always)]
pub fn advance_rows<S: Simd>(
    simd: S,
    state: &mut [f32],
    rows: impl Iterator<Item = Row> + Clone,
    reads: Reads,
    x: &[f32],
    y: &mut [f32],
) {
    let width = x.len();
    let x = S::as_simd_f32s(x).0.as_chunks::<TOGETHER>().0;
    let y = S::as_mut_simd_f32s(y).0.as_chunks_mut::<TOGETHER>().0;
    for (column, (x, y)) in x.iter().zip(y).enumerate() {
        let mut parts = [[simd.splat_f32s(0.0); TOGETHER]; 2];
        for (row, (state, of)) in state.chunks_exact_mut(width).zip(rows.clone()).enumerate() {
            let state = &mut S::as_mut_simd_f32s(state).0.as_chunks_mut::<TOGETHER>().0[column];
            let [write, keep, read] = [of.write, of.keep, of.read].map(|of| simd.splat_f32s(of));
            for ((s, &x), part) in state.iter_mut().zip(x).zip(&mut parts[row % 2]) {
                let before = *s;
                *s = simd.mul_add_e_f32s(write, x, simd.mul_f32s(keep, before));
                let seen = if reads == Reads::Before { before } else { *s };
                *part = simd.mul_add_e_f32s(read, seen, *part);
            }
        }
        for (lane, y) in y.iter_mut().enumerate() {
            *y = simd.add_f32s(*y, simd.add_f32s(parts[0][lane], parts[1][lane]));
        }
    }
}
