//! Wilson's score interval.

use super::Estimate;

/// The standard normal quantile of a two-sided 95 % interval.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's score interval around the proportion `mean` of `n` independent 0/1 outcomes:
///
/// `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`
///
/// (E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, JASA
/// 1927). `mean` in [0, 1], `n > 0` and not necessarily whole. Not degenerate at 0 and 1.
pub fn wilson(mean: f64, n: f64) -> Estimate {
    let z2_n = Z_95 * Z_95 / n;
    let centre = (mean + z2_n / 2.0) / (1.0 + z2_n);
    let variance = mean * (1.0 - mean) / n + z2_n / (4.0 * n);
    let half = Z_95 * libm::sqrt(variance) / (1.0 + z2_n);
    // Kept within bounds against rounding: at 0 and 1 one end is the mean itself. (`clamp` panics at a NaN.)
    Estimate {
        mean,
        low: (centre - half).max(0.0).min(mean),
        high: (centre + half).max(mean).min(1.0),
    }
}
