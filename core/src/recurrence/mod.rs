//! Operations that carry a state of fixed size from token to token.
//!
//! [`state_space`] is where the others come from: a linear system, discretised, run as a recurrence or
//! as a convolution. [`causal_conv1d`] carries its last inputs, [`ssd`] one matrix a head.

pub mod causal_conv1d;
pub mod ssd;
pub mod state_space;
