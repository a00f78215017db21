//! How much of its score a model keeps past its training length.

use super::{Estimate, ratio};

/// The score at twice the training length over that at the training length, of independent samples,
/// with [`ratio`]'s interval. `None` where the score at the training length is 0.
pub fn extrapolation_ratio(at_twice: Estimate, at_training_length: Estimate) -> Option<Estimate> {
    ratio(at_twice, at_training_length)
}
