//! Softmax of keys that come block by block (Milakov and Gimelshein 2018; Dao et al. 2022).
//!
//! A row's state is its weighted sum of values, relative to the largest score so far, that score and the sum of
//! weights. Scores are in units of ln 2, so that weights are powers of 2. All functions are to be compiled for an instruction set: see [`Isa::run`](crate::isa::Isa::run).

use core::ops::Range;

use crate::gemm::{NR, Tile};

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

/// Weights 2^(score − largest score) of the keys that a row sees, 0 of the others: `seen` counts from the first score
/// of the first tile.
#[inline(always)]
pub fn weigh(scores: &[Tile], row: usize, seen: Range<usize>, weights: &mut [f32]) -> Weighed {
    let mut lanes = [f32::MIN; NR];
    for (panel, scores) in (0..).zip(scores) {
        let scores = masked(&scores[row], panel, &seen, f32::MIN);
        for lane in 0..NR {
            lanes[lane] = if scores[lane] > lanes[lane] { scores[lane] } else { lanes[lane] };
        }
    }
    let most = folded(lanes, |a, b| if a > b { a } else { b });
    let mut lanes = [0.0; NR];
    for (panel, (scores, weights)) in (0..).zip(scores.iter().zip(weights.as_chunks_mut().0)) {
        let mut found = [0.0; NR];
        for lane in 0..NR {
            found[lane] = exp2(scores[row][lane] - most);
        }
        *weights = masked(&found, panel, &seen, 0.0);
        for lane in 0..NR {
            lanes[lane] += weights[lane];
        }
    }
    Weighed { most, sum: folded(lanes, |a, b| a + b) }
}

/// A panel's values, with `unseen` for those of keys that are not seen.
#[inline(always)]
fn masked(values: &[f32; NR], panel: usize, seen: &Range<usize>, unseen: f32) -> [f32; NR] {
    let within = |key: usize| key.saturating_sub(panel * NR).min(NR) as u32;
    let (first, end) = (within(seen.start), within(seen.end));
    if (first, end) == (0, NR as u32) {
        return *values;
    }
    let mut masked = [unseen; NR];
    for lane in 0..NR {
        let seen = (lane as u32 >= first) & ((lane as u32) < end);
        masked[lane] = if seen { values[lane] } else { unseen };
    }
    masked
}

/// 2ˣ for x ≤ 0; below −126 what it is there, which times any sum of a softmax is nothing.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    /// Adding this to a number below 2²² in magnitude rounds it to a whole one, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -126.0 { -126.0 } else { x };
    let shifted = x + ROUND;
    let r = x - (shifted - ROUND);
    // (r ln 2)ᵏ / k! up to k = 6: what is left out is 1.2e-7 of the sum for |r| ≤ ½.
    let p = 1.540_353e-4;
    let p = p * r + 1.333_355_8e-3;
    let p = p * r + 9.618_129e-3;
    let p = p * r + 5.550_411e-2;
    let p = p * r + 2.402_265_1e-1;
    let p = p * r + 6.931_472e-1;
    let p = p * r + 1.0;
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
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
    let factors = [exp2(tail[0] - most), exp2(block.most - most)];
    tail[0] = most;
    tail[1] = tail[1] * factors[0] + block.sum * factors[1];
    factors
}

/// sum · factor + value · factor.
#[inline(always)]
pub fn add(sums: &mut [f32; NR], values: &[f32; NR], [old, new]: [f32; 2]) {
    let mut found = *sums;
    for lane in 0..NR {
        found[lane] = found[lane] * old + values[lane] * new;
    }
    *sums = found;
}

/// Merges a later state of a row into an earlier one.
#[inline(always)]
pub fn merge(head_dim: usize, earlier: &mut [f32], later: &[f32]) {
    let (sums, tail) = earlier.split_at_mut(stride(head_dim) - 16);
    let (values, later) = later.split_at(sums.len());
    let block = Weighed { most: later[0], sum: later[1] };
    if block.sum != 0.0 {
        let factors = join(tail, block);
        let pieces = sums.as_chunks_mut().0.iter_mut().zip(values.as_chunks().0);
        pieces.for_each(|(sums, values)| add(sums, values, factors));
    }
}

/// The mean of the values, \[D\].
#[inline(always)]
pub fn mean(state: &[f32], out: &mut [f32]) {
    let sum = state[out.len().next_multiple_of(NR) + 1];
    out.iter_mut().zip(state).for_each(|(out, &value)| *out = value / sum);
}
