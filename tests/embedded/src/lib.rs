//! `longseq-core` as the firmware of a microcontroller: every operation on fixed inputs, and a RULER sample that a
//! trained model in flash answers.
//!
//! [`program::run`] is the whole program. `main.rs` gives it what a machine has: memory, a place for output, a
//! counter. The same lines come out of a Cortex-M4 and of the host, to the bit (docs/embedded.md).
#![no_std]
#![forbid(unsafe_code)]

pub mod command;
pub mod draw;
pub mod failure;
pub mod hash;
pub mod image;
pub mod memory;
pub mod model;
pub mod ops;
pub mod program;
pub mod sample;
pub mod tokenizer;
