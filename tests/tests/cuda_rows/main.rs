//! The CUDA backend's operations on rows, with the shipped kernels.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod argmax;
mod embedding;
mod faults;
mod linear;
mod recorded;
mod reference;
mod refusals;
mod rounding;
mod shapes;
mod state;

use longseq_tests::device::emulated;
