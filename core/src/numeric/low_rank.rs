//! Vector times matrix, and the low-rank maps of RWKV-6 that are made of two.
//!
//! These matrices are stored \[in, out\], not transposed as those of [`linear`](super::linear), and are read
//! row by row: a row at a time is all that a runtime without a heap needs to decode.

use super::Real;
use crate::error::{ShapeError, enough, same};

/// The weights of y = b + tanh(x W₁) W₂.
#[derive(Clone, Copy, Debug)]
pub struct LowRank<W> {
    /// W₁ \[in, rank\].
    pub down: W,
    /// W₂ \[rank, out\].
    pub up: W,
    /// b \[out\].
    pub bias: W,
}

/// Extents of a low-rank map over several tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowRankDims {
    /// T, tokens.
    pub rows: usize,
    /// Columns of x.
    pub inputs: usize,
    /// Columns between.
    pub rank: usize,
    /// Columns of y.
    pub outputs: usize,
}

impl LowRankDims {
    /// Checks element counts of the weights (x and y are checked with their columns).
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check(&self, down: usize, up: usize, bias: usize) -> Result<(), ShapeError> {
        enough("low_rank", "rank", 1, self.rank)?;
        same("low_rank", "W1", self.inputs.saturating_mul(self.rank), down)?;
        same("low_rank", "W2", self.rank.saturating_mul(self.outputs), up)?;
        same("low_rank", "bias", self.outputs, bias)
    }
}

/// out ← out + x W, with W \[in, out\] given by `row`, which writes row i of it. `work` \[out\] holds one row.
///
/// For each output the sum begins with what it holds and runs from the first input to the last.
///
/// # Errors
/// Those of `row`.
pub fn add_vector_matrix<R: Real, E>(
    x: &[R],
    mut row: impl FnMut(usize, &mut [R]) -> Result<(), E>,
    work: &mut [R],
    out: &mut [R],
) -> Result<(), E> {
    for (i, &x) in x.iter().enumerate() {
        row(i, work)?;
        for (out, &w) in out.iter_mut().zip(&*work) {
            *out += x * w;
        }
    }
    Ok(())
}
