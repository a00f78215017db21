//! Means of scores with 95 % intervals.

/// The standard normal quantile of a two-sided 95 % interval.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// A mean with its 95 % interval; `low ≤ mean ≤ high`, all within [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

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
    // Clamped against rounding: at 0 and 1 one end is the mean itself.
    Estimate { mean, low: (centre - half).clamp(0.0, mean), high: (centre + half).clamp(mean, 1.0) }
}

/// Mean of sample scores in [0, 1] with a 95 % interval; `None` without scores.
///
/// A recall of several references varies less than a 0/1 outcome, so that `n` such scores weigh
/// like `n / d` outcomes in [`wilson`]'s interval (effective sample size: Kish, *Survey Sampling*,
/// 1965; with Wilson's interval: Franco, Little, Louis and Slud, *Comparative study of confidence
/// intervals for proportions in complex sample surveys*, 2019). The design effect is
///
/// `d = min(1, (n s² + 1) / (n p(1−p) + 1))`
///
/// with `s²` the unbiased sample variance. The ones pull it towards that of 0/1 outcomes where
/// `n p(1−p)` is small and `s²` tells little; without them intervals are too short there. For
/// scores of 0 and 1 `d` is 1, and the interval is Wilson's.
pub fn mean_score(scores: &[f64]) -> Option<Estimate> {
    if scores.is_empty() {
        return None;
    }
    let n = scores.len() as f64;
    let mean = (scores.iter().sum::<f64>() / n).clamp(0.0, 1.0);
    let squares: f64 = scores.iter().map(|score| (score - mean) * (score - mean)).sum();
    let effect = if scores.len() > 1 {
        let variance = squares / (n - 1.0);
        ((n * variance + 1.0) / (n * mean * (1.0 - mean) + 1.0)).min(1.0)
    } else {
        1.0
    };
    Some(wilson(mean, n / effect))
}

/// Unweighted mean of independent estimates, its interval recovered from theirs: with `T`
/// estimates `m_i ∈ [l_i, u_i]` and their mean `m`,
///
/// `[m − √Σ(m_i − l_i)² / T, m + √Σ(u_i − m_i)² / T]`
///
/// (method of variance estimates recovery: Zou and Donner, *Construction of confidence limits about
/// effect measures: a general approach*, 2008; Zou, Huang and Zhang, *A note on confidence interval
/// estimation for a linear function of binomial proportions*, 2009). `None` without estimates.
pub fn mean_of(estimates: &[Estimate]) -> Option<Estimate> {
    if estimates.is_empty() {
        return None;
    }
    let count = estimates.len() as f64;
    let mean = (estimates.iter().map(|e| e.mean).sum::<f64>() / count).clamp(0.0, 1.0);
    let below: f64 = estimates.iter().map(|e| (e.mean - e.low) * (e.mean - e.low)).sum();
    let above: f64 = estimates.iter().map(|e| (e.high - e.mean) * (e.high - e.mean)).sum();
    Some(Estimate {
        mean,
        low: (mean - libm::sqrt(below) / count).clamp(0.0, mean),
        high: (mean + libm::sqrt(above) / count).clamp(mean, 1.0),
    })
}
