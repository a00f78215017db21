//! Operations with a carried state.

mod causal_conv1d;
mod ssd;
mod state_space;
