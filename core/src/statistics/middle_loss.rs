//! How much worse a model is in the middle of its context than at the ends.

use super::{Estimate, difference, mean_of};

/// Depths in percent that count as the middle, ends included.
pub const MIDDLE: core::ops::RangeInclusive<u8> = 30..=70;

/// Whether a depth in percent is an end of the context.
pub fn is_end(depth: u8) -> bool {
    depth == 0 || depth == 100
}

/// The mean score at the ends less that in the middle, of independent samples:
///
/// `mean(s_0, s_100) − mean(s_d : 30 ≤ d ≤ 70)`
///
/// each depth counting the same; positive where the middle is lost (Liu et al., *Lost in the
/// middle: how language models use long contexts*, 2024). Intervals by [`difference`]. `None`
/// where there are no ends or no middle.
pub fn middle_loss(ends: &[Estimate], middle: &[Estimate]) -> Option<Estimate> {
    Some(difference(mean_of(ends)?, mean_of(middle)?))
}
