//! Whole models.
//!
//! Every layer is norm, mixer and residual, in some families followed by norm, MLP and residual. What
//! differs between families is data: [`config`] says which mixer a layer has and how large everything
//! is, [`bind`] makes the [`weights`] of a checkpoint's tensors.

pub mod bind;
pub mod config;
pub mod weights;
