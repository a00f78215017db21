//! The mathematics of long-sequence models and the RULER benchmark, at reference precision.
//!
//! No `std`, no heap, no `unsafe`: every buffer is the caller's. The layers, in reading order:
//!
//! - [`numeric`]: the scalar types, storage dtypes, norms and activations;
//! - [`recurrence`] and [`attention`]: what mixes the tokens of a sequence;
//! - [`hybrid`]: whole models made of both, and the one forward pass, written over [`backend`]'s operations
//!   ([`mod@reference`] implements them), [`batch`], [`state`] and [`scratch`];
//! - [`ruler`]: RULER's task generators and scorer, byte for byte;
//! - [`statistics`]: means with intervals.
#![no_std]
#![forbid(unsafe_code)]

pub mod attention;
pub mod backend;
pub mod batch;
pub mod error;
pub mod hybrid;
pub mod numeric;
pub mod recurrence;
pub mod reference;
pub mod ruler;
pub mod scratch;
pub mod state;
pub mod statistics;
