//! Operations that carry a state of fixed size from token to token.
//!
//! [`state_space`] is where the others come from: a linear system, discretised, run as a recurrence or
//! as a convolution. [`causal_conv1d`] and [`token_shift`] carry their last inputs, [`rg_lru`] one number
//! a channel, [`ssd`] and [`wkv6`] one matrix a head.

pub mod causal_conv1d;
pub mod rg_lru;
pub mod ssd;
pub mod state_space;
pub mod token_shift;
pub mod wkv6;
