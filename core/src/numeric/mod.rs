//! Scalars, storage dtypes, inner products, norms and activations.
//!
//! Everything is computed in a fixed order, with `libm`'s functions, in one scalar type [`Real`]: the
//! same input gives the same bits on every machine. Functions of one row take whatever lengths
//! they are given and stop at the shorter one; the operations of [`crate::backend`] check shapes.

pub mod activation;
pub mod compute;
pub mod dot;
pub mod linear;
pub mod low_rank;
pub mod norm;
pub mod real;
pub mod softmax;
pub mod tensor;

pub use real::Real;
