//! Operations on every row by itself, and the functions that they are made of.

pub mod linear;
pub mod math;
