//! Softmax of keys that come block by block (Milakov and Gimelshein 2018; Dao et al. 2022).
//!
//! A row's state is its weighted sum of values, relative to the largest score so far, that score and the sum of
//! weights. Scores are in units of ln 2, so that weights are powers of 2. All functions are to be compiled for an instruction set: see [`Isa::run`](crate::isa::Isa::run).

use core::ops::Range;

use pulp::{Scalar, Simd, WithSimd};

use crate::{
    gemm::{MR, NR, Tile},
    numeric::math::ROUND,
};

/// Elements at the end of a row's state: the largest score, the sum of weights, and room up to a cache line.
pub const TAIL: usize = 16;

/// Elements of a row's state: D filled up to whole panels, and the [`TAIL`].
pub const fn stride(head_dim: usize) -> usize {
    head_dim.next_multiple_of(NR) + TAIL
}

/// The state of rows that have seen nothing.
pub fn begin(head_dim: usize, rows: &mut [f32]) {
    rows.fill(0.0);
    for row in rows.chunks_exact_mut(stride(head_dim)) {
        row[stride(head_dim) - TAIL] = Weighed::NOTHING.most;
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

/// Weights 2^(score − largest score) of the keys that a tile's rows see, 0 of the others.
#[derive(Debug)]
pub struct Weigh<'w, const KEYS: usize> {
    /// Scores, panel by panel.
    pub scores: &'w mut [Tile],
    /// What each row sees, counted from the first score.
    pub seen: &'w [Range<usize>],
    /// The weights of each row.
    pub weights: &'w mut [[f32; KEYS]; MR],
    /// The rest of what the block gives each row.
    pub weighed: &'w mut [Weighed; MR],
}

impl<const KEYS: usize> WithSimd for Weigh<'_, KEYS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.weights.iter_mut().zip(self.weighed).zip(self.seen).zip(0..);
        for (((weights, weighed), seen), row) in rows {
            if seen.start >= seen.end {
                continue;
            }
            hide(self.scores, row, seen);
            let mut most = simd.splat_f32s(f32::MIN);
            for scores in &*self.scores {
                for &score in S::as_simd_f32s(&scores[row]).0 {
                    most = simd.select_f32s(simd.greater_than_f32s(score, most), score, most);
                }
            }
            weighed.most = simd.reduce_max_f32s(most);
            let most = simd.splat_f32s(weighed.most);
            let mut sum = simd.splat_f32s(0.0);
            for (scores, weights) in self.scores.iter().zip(weights.as_chunks_mut::<NR>().0) {
                let scores = S::as_simd_f32s(&scores[row]).0.iter();
                for (weight, &score) in S::as_mut_simd_f32s(weights).0.iter_mut().zip(scores) {
                    *weight = exp2(simd, simd.sub_f32s(score, most));
                    sum = simd.add_f32s(sum, *weight);
                }
            }
            weighed.sum = simd.reduce_sum_f32s(sum);
        }
    }
}

/// Puts −∞ for the scores of keys that a row does not see.
#[inline(always)]
fn hide(scores: &mut [Tile], row: usize, seen: &Range<usize>) {
    for (panel, scores) in (0..).zip(scores) {
        let within = |key: usize| key.saturating_sub(panel * NR).min(NR);
        scores[row][..within(seen.start)].fill(f32::NEG_INFINITY);
        scores[row][within(seen.end)..].fill(f32::NEG_INFINITY);
    }
}

/// 2ˣ for x ≤ 0; 0 below −126.
#[inline(always)]
pub fn exp2<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// (ln 2)ᵏ / k! from k = 5 down to 0: what is left out is 1.2e-7 of the sum for fractions up to ½.
    const SERIES: [f32; 6] =
        [1.333_355_8e-3, 9.618_129e-3, 5.550_411e-2, 2.402_265e-1, 6.931_472e-1, 1.0];
    let shifted = simd.add_f32s(x, simd.splat_f32s(ROUND));
    let fraction = simd.sub_f32s(x, simd.sub_f32s(shifted, simd.splat_f32s(ROUND)));
    let mut sum = simd.splat_f32s(1.540_353e-4);
    for term in SERIES {
        let term = simd.splat_f32s(term);
        sum = if size_of::<S::f32s>() == size_of::<f32>() {
            // Without vectors there may be no fused instruction.
            simd.add_f32s(simd.mul_f32s(sum, fraction), term)
        } else {
            simd.mul_add_f32s(sum, fraction, term)
        };
    }
    let whole = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let power = simd.add_u32s(whole, simd.splat_u32s(1.0_f32.to_bits()));
    let found = simd.mul_f32s(sum, simd.transmute_f32s_u32s(power));
    let little = simd.less_than_f32s(x, simd.splat_f32s(-126.0));
    simd.select_f32s(little, simd.splat_f32s(0.0), found)
}

/// Takes what a block gives into a row's state, but for its values: returns the factors of the old sum of values and
/// of the block's.
#[inline(always)]
pub fn join(tail: &mut [f32], block: Weighed) -> [f32; 2] {
    let most = if block.most > tail[0] { block.most } else { tail[0] };
    let factors = [tail[0] - most, block.most - most].map(|x| exp2(Scalar, x));
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
    let (sums, tail) = earlier.split_at_mut(stride(head_dim) - TAIL);
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
