//! Operations on every row by itself, and the functions that they are made of.

mod activation;
mod embedding;
pub mod linear;
mod low_rank;
pub mod math;
mod norm;
mod rows;
