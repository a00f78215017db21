//! Whole models.
//!
//! Every layer is norm, mixer and residual, in some families followed by norm, MLP and residual. What
//! differs between families is data: [`config`] says which mixer a layer has and how large everything
//! is, [`bind`] makes the [`weights`] of a checkpoint's tensors, and one [`forward()`] runs them all.

pub mod bind;
pub mod config;
mod forward;
pub mod map;
mod mixer;
pub mod weights;

pub use forward::{ForwardError, forward};
