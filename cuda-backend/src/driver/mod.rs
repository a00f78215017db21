//! The real thing: libraries found and loaded, kernels compiled, a device opened.
//!
//! Nothing here is linked. [`libraries`] looks for the driver, NVRTC and cuBLASLt when they are asked for and says
//! what is missing; no other file calls into a library that it has not found. [`compile`] makes cubins, which needs no
//! GPU, and [`cache`] keeps them; [`device`] lists what there is.

pub mod cache;
pub mod compile;
pub mod device;
pub mod libraries;
pub mod resources;
