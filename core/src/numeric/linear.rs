//! y = x Wᵀ (+ b), the map that almost all of a model's weights belong to.

use crate::error::{ShapeError, enough, same};

/// A linear map: weight \[out, in\] and bias \[out\].
#[derive(Clone, Copy, Debug)]
pub struct Linear<W> {
    /// W \[out, in\].
    pub weight: W,
    /// b \[out\].
    pub bias: Option<W>,
}

/// Extents of a linear map over several tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearDims {
    /// T, tokens.
    pub rows: usize,
    /// Columns of x and of W.
    pub inputs: usize,
    /// Columns of y, rows of W.
    pub outputs: usize,
    /// Whether y is added to what the output holds (a residual stream) or replaces it.
    pub accumulate: bool,
}

impl LinearDims {
    /// Checks element counts of W and b (x and y are checked with their columns).
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check(&self, weight: usize, bias: Option<usize>) -> Result<(), ShapeError> {
        enough("linear", "inputs", 1, self.inputs)?;
        same("linear", "weight", self.outputs.saturating_mul(self.inputs), weight)?;
        bias.map_or(Ok(()), |bias| same("linear", "bias", self.outputs, bias))
    }
}
