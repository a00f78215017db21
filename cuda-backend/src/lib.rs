//! The operations of [`longseq_core::backend`] as CUDA kernels.
//!
//! Builds without CUDA and starts without a driver: libraries are looked for when a device is asked for.

pub mod driver;
pub mod error;
