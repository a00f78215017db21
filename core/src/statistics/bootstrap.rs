//! The percentile bootstrap of a mean.

use super::{Estimate, draws::Draws};

/// Resamples that give the ends of an interval to about a tenth of its width.
pub const RESAMPLES: usize = 2000;

/// The mean over strata of the means of their values, with a 95 % interval by resampling: each
/// stratum's `n_s` values are drawn `n_s` times with replacement, and the ends are the 2.5 % and
/// 97.5 % quantiles (linear between order statistics) of `means.len()` such means:
///
/// `m* = Σ_s Σ_i x*_si / n_s / S`
///
/// (percentile bootstrap: B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap*, 1993,
/// chapter 13; strata resampled apart: Davison and Hinkley, *Bootstrap Methods and their
/// Application*, 1997, section 3.2). Values may be scores, or the differences of two models on the
/// same samples: then it is the paired bootstrap (P. Koehn, *Statistical significance tests for
/// machine translation evaluation*, 2004).
///
/// Without variation the interval is a point, and with few samples it is too short
/// (docs/scoring.md). `means` holds nothing of use afterwards. `None` without strata, where one is
/// empty, or where `means` is.
pub fn mean(strata: &[&[f64]], means: &mut [f64], seed: u64) -> Option<Estimate> {
    let mean = stratified_mean(strata)?;
    let mut draws = Draws::new(seed);
    for resampled in &mut *means {
        let drawn = strata.iter().map(|values| {
            let sum: f64 = (0..values.len()).map(|_| values[draws.below(values.len())]).sum();
            sum / values.len() as f64
        });
        *resampled = drawn.sum::<f64>() / strata.len() as f64;
    }
    means.sort_unstable_by(f64::total_cmp);
    // A mean may lie outside of a lopsided interval of few resamples.
    let low = quantile(means, 0.025)?.min(mean);
    let high = quantile(means, 0.975)?.max(mean);
    Some(Estimate { mean, low, high })
}

/// `Σ_s Σ_i x_si / n_s / S`; `None` without strata, or where one is empty.
pub fn stratified_mean(strata: &[&[f64]]) -> Option<f64> {
    if strata.is_empty() || strata.iter().any(|values| values.is_empty()) {
        return None;
    }
    let mean = |values: &&[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Some(strata.iter().map(mean).sum::<f64>() / strata.len() as f64)
}

/// The value at fraction `at` of `sorted`, linear between neighbours (Hyndman and Fan's type 7).
fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let place = at * sorted.len().checked_sub(1)? as f64;
    let below = place as usize;
    let (low, high) = (sorted[below], sorted[sorted.len().min(below + 2) - 1]);
    Some(low + (high - low) * (place - below as f64))
}
