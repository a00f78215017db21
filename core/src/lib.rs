//! The mathematics of long-sequence models and the RULER benchmark, at reference precision.
//!
//! No `std`, no heap, no `unsafe`: every buffer is the caller's. The layers, in reading order:
//!
//! - [`numeric`]: the scalar types, storage dtypes, norms and activations;
//! - [`ruler`]: RULER's task generators and scorer, byte for byte;
//! - [`statistics`]: means with intervals.
#![no_std]
#![forbid(unsafe_code)]

pub mod error;
pub mod numeric;
pub mod ruler;
pub mod statistics;
