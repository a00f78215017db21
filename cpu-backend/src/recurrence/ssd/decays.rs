//! How much of a token of a chunk is left at another, c(j, i) being Σ_{j < s ≤ i} Δₛ A.
//!
//! Sums of Δ A are kept in f64: of two that a strong decay has made large, f32 would lose the digits in which they differ.

use super::{super::heads::BLOCK, Inputs};
use crate::{isa::Isa, numeric::math::exp};

/// Tokens between two of which a decay is computed by itself; one from further back is a product of two, which are both
/// at most 1.
const SPAN: usize = 16;
const SPANS: usize = BLOCK / SPAN;

/// Steps and decays of a head in a chunk.
pub struct Decays {
    /// e^c(0, i).
    pub whole: [f32; BLOCK],
    /// e^c(m, i), m being the last token before the span of i.
    since: [f32; BLOCK],
    /// e^c(j, i) Δⱼ for every j ≤ i of the span of i, else 0.
    within: [[f32; SPAN]; BLOCK],
    /// e^c(j, m) Δⱼ for every j up to the last token m of each span, else 0.
    until: [[f32; BLOCK]; SPANS],
}

impl Decays {
    pub fn new(isa: Isa, inputs: &Inputs<'_>, at: (usize, usize)) -> Self {
        isa.run(
            #[inline(always)]
            || {
                let mut steps = [0.0; BLOCK];
                let a = inputs.read_steps(at, &mut steps);
                // c(0, i).
                let mut sums = [0.0; BLOCK];
                let mut sum = 0.0;
                for (out, &step) in sums.iter_mut().zip(&steps) {
                    sum += f64::from(step) * f64::from(a);
                    *out = sum;
                }
                Self::of(&steps, &sums)
            },
        )
    }

    #[inline(always)]
    fn of(steps: &[f32; BLOCK], sums: &[f64; BLOCK]) -> Self {
        let mut found = Self {
            whole: [0.0; BLOCK],
            since: [0.0; BLOCK],
            within: [[0.0; SPAN]; BLOCK],
            until: [[0.0; BLOCK]; SPANS],
        };
        found.whole.iter_mut().zip(sums).for_each(|(whole, &sum)| *whole = exp(sum as f32));
        let (steps, sums) = (steps.as_chunks::<SPAN>().0, sums.as_chunks::<SPAN>().0);
        let since = found.since.as_chunks_mut::<SPAN>().0;
        let within = found.within.as_chunks_mut::<SPAN>().0;
        let spans = since.iter_mut().zip(within).zip(&mut found.until).enumerate();
        let mut before = 0.0;
        for (span, ((since, within), until)) in spans {
            for (since, sum) in since.iter_mut().zip(sums[span]) {
                *since = exp((sum - before) as f32);
            }
            for (i, within) in within.iter_mut().enumerate() {
                let decays = decayed(sums[span][i], &sums[span], &steps[span]);
                for (j, (within, decay)) in within.iter_mut().zip(decays).enumerate() {
                    *within = if j <= i { decay } else { 0.0 };
                }
            }
            before = sums[span][SPAN - 1];
            let earlier = until.as_chunks_mut().0.iter_mut().zip(sums).zip(steps);
            for ((until, sums), steps) in earlier.take(span + 1) {
                *until = decayed(before, sums, steps);
            }
        }
        found
    }

    /// e^c(j, Q) Δⱼ.
    #[inline(always)]
    pub const fn to_end(&self) -> &[f32; BLOCK] {
        &self.until[SPANS - 1]
    }

    /// C Bᵀ ∘ e^c(j, i) Δⱼ of row i, whose `products` are those of C Bᵀ.
    #[inline(always)]
    pub fn weigh(&self, i: usize, products: &[f32], out: &mut [f32]) {
        let (products, out) = (products.as_chunks::<SPAN>().0, out.as_chunks_mut::<SPAN>().0);
        let span = i / SPAN;
        if let Some(until) = span.checked_sub(1).map(|before| &self.until[before]) {
            let until = until.as_chunks::<SPAN>().0;
            for ((out, of), until) in out.iter_mut().zip(products).zip(until).take(span) {
                for (out, (of, until)) in out.iter_mut().zip(of.iter().zip(until)) {
                    *out = of * (until * self.since[i]);
                }
            }
        }
        let own = products[span].iter().zip(&self.within[i]);
        out[span].iter_mut().zip(own).for_each(|(out, (of, within))| *out = of * within);
        out[span + 1..].fill([0.0; SPAN]);
    }
}

/// e^c(j, i) Δⱼ of a span, c(0, i) being `sum`.
#[inline(always)]
fn decayed(sum: f64, sums: &[f64; SPAN], steps: &[f32; SPAN]) -> [f32; SPAN] {
    let mut found = [0.0; SPAN];
    for (found, (own, step)) in found.iter_mut().zip(sums.iter().zip(steps)) {
        *found = exp((sum - own) as f32) * step;
    }
    found
}
