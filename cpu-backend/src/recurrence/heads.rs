//! Scans of several heads, which are handed out to threads.
//!
//! Of a row \[H, P\] of results a head has but a part, so a thread cannot be given the rows of its heads. It writes
//! \[heads, tokens, P\] for a block of tokens instead, which is put in order when the block is done.

use core::cell::RefCell;

use longseq_core::{
    batch::{Sequence, Sequences},
    error::ShapeError,
    state::StateMut,
};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::each_sequence;

/// Products of tokens and elements of the state that are worth waking threads.
const SHARED: usize = 1 << 15;

/// Tokens of a block, the first of which stands at a multiple of this: with so many, what a tile of the state reads and
/// writes stays in the first cache.
pub const BLOCK: usize = 64;

/// Elements of a cache line.
pub const LINE: usize = 16;

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
/// write, and working memory. `out` \[T, H, P\].
///
/// # Errors
/// State or rows that are not there; states that overlap.
pub fn each(
    operation: &'static str,
    sequences: &Sequences<'_>,
    state: StateMut<'_, [f32]>,
    ((heads, head_dim), out): ((usize, usize), &mut [f32]),
    run: impl Fn(Part, &mut [f32], &mut [f32], &mut Vec<f32>) + Sync,
) -> Result<(), ShapeError> {
    let elements = state.region.elements;
    let shared = |rows: usize| rows.saturating_mul(elements) >= SHARED;
    let see = |sequence: Sequence, state: &mut [f32], out: &mut [f32]| {
        let shared = shared(sequence.rows.len());
        scan((heads, head_dim), (&sequence, shared), state, out, &run);
    };
    let width = heads.saturating_mul(head_dim);
    each_sequence(operation, sequences, state, (width, out), shared(sequences.rows()), see)
}

/// The same for one sequence, shared out to threads or not. `state` \[H, …\], `out` \[T, H, P\].
fn scan(
    (heads, head_dim): (usize, usize),
    (sequence, shared): (&Sequence, bool),
    state: &mut [f32],
    out: &mut [f32],
    run: &(impl Fn(Part, &mut [f32], &mut [f32], &mut Vec<f32>) + Sync),
) {
    let (width, state_elements) = (heads * head_dim, state.len() / heads);
    let share = if shared { heads.div_ceil(2 * rayon::current_num_threads()) } else { heads };
    let advance = |row: usize, state: &mut [f32], out: &mut [f32]| {
        let tokens = out.len() / width;
        let run = |(number, (state, out)): (usize, (&mut [f32], &mut [f32]))| {
            let part = Part { row, tokens, head: number * share };
            OWN.with_borrow_mut(|own| run(part, state, out, own));
        };
        if share < heads {
            let states = state.par_chunks_mut(share * state_elements);
            states.zip(out.par_chunks_mut(share * tokens * head_dim)).enumerate().for_each(run);
        } else {
            run((0, (state, out)));
        }
    };
    let mut done: Option<&mut [f32]> = None;
    let mut row = sequence.rows.start;
    let first = BLOCK - sequence.position % BLOCK;
    let (first, others) = out.split_at_mut(out.len().min(first * width));
    for out in core::iter::once(first).chain(others.chunks_mut(BLOCK * width)) {
        let tokens = out.len() / width;
        // Another thread puts the block before in order while this one is made.
        match done.take() {
            Some(before) if shared => {
                let order = || tokens_first((heads, head_dim), before);
                rayon::join(|| advance(row, state, out), order);
            }
            Some(before) => {
                tokens_first((heads, head_dim), before);
                advance(row, state, out);
            }
            None => advance(row, state, out),
        }
        done = Some(out);
        row += tokens;
    }
    if let Some(last) = done {
        tokens_first((heads, head_dim), last);
    }
}

/// \[H, tokens, P\] made \[tokens, H, P\].
fn tokens_first((heads, head_dim): (usize, usize), out: &mut [f32]) {
    let tokens = out.len() / (heads * head_dim);
    if tokens == 1 {
        return;
    }
    OWN.with_borrow_mut(|own| {
        let from = crate::room(own, out.len());
        from.copy_from_slice(out);
        for (token, row) in out.chunks_exact_mut(heads * head_dim).enumerate() {
            for (head, out) in row.chunks_exact_mut(head_dim).enumerate() {
                out.copy_from_slice(&from[(head * tokens + token) * head_dim..][..head_dim]);
            }
        }
    });
}

thread_local! {
    /// Each thread's working memory.
    pub static OWN: RefCell<Vec<f32>> = RefCell::default();
}

/// Gives `needed` elements of a working buffer from a cache line's start on; it grows where it is shorter.
pub fn aligned(own: &mut Vec<f32>, needed: usize) -> &mut [f32] {
    let room = crate::room(own, needed + LINE);
    let start = room.as_ptr().align_offset(64).min(LINE);
    &mut room[start..][..needed]
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
