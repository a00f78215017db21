//! Whether two models differ on the same samples.

use super::{bootstrap::stratified_mean, draws::Draws};

/// Up to so many differences that are not 0, every assignment of signs is tried.
const ALL_SIGNS: usize = 14;

/// Random assignments of signs otherwise.
const FLIPS: u32 = 9999;

/// Sums that differ by less are the same sum in another order.
const ROUNDING: f64 = 1e-12;

/// Two-sided p-value of "the signs of the differences are a matter of chance": the share of all
/// assignments of signs whose mean (over strata, see [`super::bootstrap::mean`]) is at least as far
/// from 0 as that observed (R. A. Fisher, *The Design of Experiments*, 1935, section 21; E. S.
/// Edgington, *Randomization Tests*, 1995). With many differences, of 9,999 random assignments and
/// the observed one: `(1 + #) / (1 + 9999)` (Phipson and Smyth, *Permutation p-values should never
/// be zero*, 2010).
///
/// Of scores 0 and 1 in one stratum it is McNemar's exact test: the sum of differences −1 and 1 with
/// random signs is binomial (Q. McNemar, *Note on the sampling error of the difference between
/// correlated proportions or percentages*, 1947). `None` without strata, or where one is empty.
pub fn p_value(strata: &[&[f64]], seed: u64) -> Option<f64> {
    let observed = libm::fabs(stratified_mean(strata)?) * strata.len() as f64 * (1.0 - ROUNDING);
    let differing = strata.iter().flat_map(|of| of.iter()).filter(|value| **value != 0.0).count();
    if observed == 0.0 {
        return Some(1.0);
    }
    if differing <= ALL_SIGNS {
        let all = 1_u64 << differing;
        let as_far = (0..all).filter(|&signs| {
            let mut signs = signs;
            let mean = signed_mean(strata, || {
                let sign = signs & 1;
                signs >>= 1;
                sign
            });
            libm::fabs(mean) >= observed
        });
        return Some(as_far.count() as f64 / all as f64);
    }
    let mut draws = Draws::new(seed);
    let as_far = (0..FLIPS).filter(|_| {
        let (mut bits, mut left) = (0, 0);
        let mean = signed_mean(strata, || {
            if left == 0 {
                (bits, left) = (draws.bits(), u64::BITS);
            }
            let sign = bits & 1;
            (bits, left) = (bits >> 1, left - 1);
            sign
        });
        libm::fabs(mean) >= observed
    });
    Some((1.0 + as_far.count() as f64) / (1.0 + f64::from(FLIPS)))
}

/// The sum of the strata's means, every difference that is not 0 with its own sign.
fn signed_mean(strata: &[&[f64]], mut sign: impl FnMut() -> u64) -> f64 {
    let mut mean = |values: &&[f64]| {
        let signed = values.iter().filter(|value| **value != 0.0).map(|value| match sign() {
            0 => *value,
            _ => -value,
        });
        signed.sum::<f64>() / values.len() as f64
    };
    strata.iter().map(&mut mean).sum()
}
