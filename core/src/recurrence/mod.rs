//! Operations that carry a state of fixed size from token to token.

pub mod ssd;
