//! The CPU backend's operations on rows, on every instruction set of this machine.

mod embedding;
mod laws;
mod math;
mod reference;
mod refusals;
mod state;
