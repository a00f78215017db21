//! Means of scores, their differences and ratios, each with its 95 % interval in closed form.

use super::{Z_95, wilson};

/// A quantity with its 95 % interval; `low ≤ mean ≤ high`. Of scores all are within [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean, or the difference or ratio of means.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
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
        low: (mean - libm::sqrt(below) / count).max(0.0).min(mean),
        high: (mean + libm::sqrt(above) / count).max(mean).min(1.0),
    })
}

/// The difference `a − b` of independent estimates:
///
/// `[m_a − m_b − √((m_a − l_a)² + (u_b − m_b)²), m_a − m_b + √((u_a − m_a)² + (m_b − l_b)²)]`
///
/// Of two proportions this is method 10 of R. G. Newcombe, *Interval estimation for the difference
/// between independent proportions*, 1998; in general Zou and Donner (see [`mean_of`]). Not for two
/// models on the same samples, whose differences vary less: see [`super::bootstrap`].
pub fn difference(a: Estimate, b: Estimate) -> Estimate {
    let mean = a.mean - b.mean;
    Estimate {
        mean,
        low: mean - libm::hypot(a.mean - a.low, b.high - b.mean),
        high: mean + libm::hypot(a.high - a.mean, b.mean - b.low),
    }
}

/// The ratio `a / b` of independent estimates of non-negative quantities. With
/// `A = u_b (2 m_b − u_b)`, `C = l_a (2 m_a − l_a)`, `A' = l_b (2 m_b − l_b)`,
/// `C' = u_a (2 m_a − u_a)` and `B = m_a m_b`,
///
/// `[C / (B + √(B² − A C)), (B + √(B² − A' C')) / A']`
///
/// (MOVER-R: Donner and Zou, *Closed-form confidence intervals for functions of the normal mean
/// and standard deviation*, 2012; R. G. Newcombe, *MOVER-R confidence intervals for ratios and
/// products of two independently estimated quantities*, 2016; the lower end is written so that it
/// divides by no difference). The upper end is infinite where `l_b` is 0. `None` where `m_b` is 0.
pub fn ratio(a: Estimate, b: Estimate) -> Option<Estimate> {
    if b.mean <= 0.0 {
        return None;
    }
    let mean = a.mean / b.mean;
    let product = a.mean * b.mean;
    let root = |a: f64, c: f64| libm::sqrt((product * product - a * c).max(0.0));
    let least = a.low * (2.0 * a.mean - a.low);
    let below = product + root(b.high * (2.0 * b.mean - b.high), least);
    let divisor = b.low * (2.0 * b.mean - b.low);
    let above = product + root(divisor, a.high * (2.0 * a.mean - a.high));
    Some(Estimate {
        mean,
        low: if below > 0.0 { (least / below).max(0.0).min(mean) } else { 0.0 },
        high: if divisor > 0.0 { (above / divisor).max(mean) } else { f64::INFINITY },
    })
}

/// The two-sided p-value of "it is 0" that belongs to an interval: `erfc(z / √2)` with
/// `z = 1.96 |m| / w` and `w` the part of the interval between the mean and its end towards 0
/// (D. G. Altman and J. M. Bland, *How to obtain the P value from a confidence interval*, BMJ 2011).
/// Below 0.05 exactly where the interval leaves out 0.
pub fn p_value(of: Estimate) -> f64 {
    let towards_zero = if of.mean > 0.0 { of.mean - of.low } else { of.high - of.mean };
    let distance = libm::fabs(of.mean);
    if distance == 0.0 {
        return 1.0;
    }
    libm::erfc(Z_95 * distance / towards_zero / core::f64::consts::SQRT_2)
}
