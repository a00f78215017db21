//! Scalars, storage dtypes, norms and activations.

pub mod tensor;
