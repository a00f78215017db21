//! Softmax of keys that come block by block (Milakov and Gimelshein 2018; Dao et al. 2022).
//!
//! A row's state is its weighted sum of values, relative to the largest score so far, that score and the sum of
//! weights. All functions are to be compiled for an instruction set: see [`Isa::run`](crate::isa::Isa::run).

use core::ops::Range;

use crate::{
    gemm::{NR, Tile},
    numeric::math::exp,
};

/// Elements of a row's state: D filled up to whole panels, then the largest score, the sum of weights, and room up
/// to a cache line.
pub const fn stride(head_dim: usize) -> usize {
    head_dim.next_multiple_of(NR) + 16
}

/// The state of rows that have seen nothing.
pub fn begin(head_dim: usize, rows: &mut [f32]) {
    rows.fill(0.0);
    for row in rows.chunks_exact_mut(stride(head_dim)) {
        row[stride(head_dim) - 16] = Weighed::NOTHING.most;
    }
}

/// What a block gives a row, beside its sum of values.
#[derive(Clone, Copy, Debug)]
pub struct Weighed {
    /// The largest score.
    pub most: f32,
    /// The sum of weights; 0 if nothing was seen.
    pub sum: f32,
}

impl Weighed {
    /// Of a row that sees nothing.
    pub const NOTHING: Self = Self { most: f32::MIN, sum: 0.0 };
}

/// Weights e^(score − largest score) of the keys that a row sees, 0 of the others: `seen` counts from the first score
/// of the first tile.
#[inline(always)]
pub fn weigh(scores: &[Tile], row: usize, seen: Range<usize>, weights: &mut [f32]) -> Weighed {
    let mut lanes = [f32::MIN; NR];
    for (panel, scores) in scores.iter().enumerate() {
        let visible = Visible::new(panel, &seen);
        for (lane, (most, &x)) in lanes.iter_mut().zip(&scores[row]).enumerate() {
            let x = if visible.at(lane) { x } else { f32::MIN };
            *most = if x > *most { x } else { *most };
        }
    }
    let most = folded(lanes, |a, b| if a > b { a } else { b });
    let mut lanes = [0.0; NR];
    let weights = weights.as_chunks_mut::<NR>().0;
    for (panel, (scores, weights)) in scores.iter().zip(weights).enumerate() {
        let visible = Visible::new(panel, &seen);
        for (lane, (weight, &x)) in weights.iter_mut().zip(&scores[row]).enumerate() {
            let x = exp(x - most);
            *weight = if visible.at(lane) { x } else { 0.0 };
        }
        lanes.iter_mut().zip(&*weights).for_each(|(sum, &weight)| *sum += weight);
    }
    Weighed { most, sum: folded(lanes, |a, b| a + b) }
}

/// Which columns of a panel are seen.
#[derive(Clone, Copy)]
struct Visible {
    first: u32,
    end: u32,
}

impl Visible {
    #[inline(always)]
    fn new(panel: usize, seen: &Range<usize>) -> Self {
        let within = |key: usize| key.saturating_sub(panel * NR).min(NR) as u32;
        Self { first: within(seen.start), end: within(seen.end) }
    }

    #[inline(always)]
    fn at(self, lane: usize) -> bool {
        let lane = lane as u32;
        (lane >= self.first) & (lane < self.end)
    }
}

/// One of all lanes, by halves.
#[inline(always)]
fn folded(mut lanes: [f32; NR], of: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = NR / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(a, &mut b)| *a = of(*a, b));
        half /= 2;
    }
    lanes[0]
}

/// Takes what a block gives into a row's state, but for its values: returns the factors of the old sum of values and
/// of the block's.
#[inline(always)]
pub fn join(tail: &mut [f32], block: Weighed) -> [f32; 2] {
    let most = if block.most > tail[0] { block.most } else { tail[0] };
    let factors = [exp(tail[0] - most), exp(block.most - most)];
    tail[0] = most;
    tail[1] = tail[1] * factors[0] + block.sum * factors[1];
    factors
}

/// sum · factor + value · factor.
#[inline(always)]
pub fn add(sums: &mut [f32], values: &[f32], [old, new]: [f32; 2]) {
    sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum = *sum * old + value * new);
}

/// Merges a later state of a row into an earlier one.
#[inline(always)]
pub fn merge(head_dim: usize, earlier: &mut [f32], later: &[f32]) {
    let (sums, tail) = earlier.split_at_mut(stride(head_dim) - 16);
    let (values, later) = later.split_at(sums.len());
    let block = Weighed { most: later[0], sum: later[1] };
    if block.sum != 0.0 {
        let factors = join(tail, block);
        add(sums, values, factors);
    }
}

/// The mean of the values, \[D\].
#[inline(always)]
pub fn mean(state: &[f32], out: &mut [f32]) {
    let sum = state[out.len().next_multiple_of(NR) + 1];
    out.iter_mut().zip(state).for_each(|(out, &value)| *out = value / sum);
}
