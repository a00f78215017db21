//! What scores say of a model: means, comparisons and lengths, with 95 % intervals and tests.
//!
//! - [`estimate`]: means of scores ([`wilson`] behind them), their differences and ratios, with intervals in closed form;
//! - [`bootstrap`]: the interval of a mean by resampling, also of the differences of two models on the same samples;
//! - [`sign_flip`]: whether two models differ on the same samples; [`holm`]: when many pairs are tested;
//! - [`middle_loss`], [`extrapolation`], [`effective_length`]: what they are for.
//!
//! Nothing here allocates; random draws come from [`draws`] and depend on the caller's seed alone.

pub mod bootstrap;
pub mod draws;
pub mod effective_length;
pub mod estimate;
pub mod extrapolation;
pub mod holm;
pub mod middle_loss;
pub mod sign_flip;
mod wilson;

pub use estimate::{Estimate, difference, mean_of, mean_score, p_value, ratio};
pub use wilson::{Z_95, wilson};
