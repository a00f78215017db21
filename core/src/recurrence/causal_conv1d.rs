//! Depthwise causal convolution with carried inputs.
//!
//! y\[t, c\] = f(b\[c\] + Σ_{j < K} w\[c, j\] · x\[t − K + 1 + j, c\]), x\[t < 0\] = 0: w\[c, K−1\] meets the
//! current token. The state holds the last K − 1 inputs of every channel, \[C, K−1\], oldest first.

use crate::error::{ShapeError, same};
use crate::numeric::{Real, activation::silu};

/// The weights of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Conv<W> {
    /// w \[C, 1, K\].
    pub weight: W,
    /// b \[C\].
    pub bias: Option<W>,
}

/// f, what follows the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing: over the queries, keys and values of the Mamba-2 attention hybrid.
    Identity,
    /// [`silu`]: over x, B and C of Mamba-2.
    Silu,
}

impl Activation {
    /// f(x).
    pub fn apply<R: Real>(self, x: R) -> R {
        match self {
            Self::Identity => x,
            Self::Silu => silu(x),
        }
    }
}

/// Extents of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvDims {
    /// C.
    pub channels: usize,
    /// K, at least 1.
    pub width: usize,
    /// What follows.
    pub activation: Activation,
}

impl ConvDims {
    /// C · (K − 1), elements of the state.
    pub const fn state_elements(&self) -> usize {
        self.channels.saturating_mul(self.width.saturating_sub(1))
    }

    /// Checks the element counts of weight, bias and one sequence's state.
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check(
        &self,
        weight: usize,
        bias: Option<usize>,
        state: usize,
    ) -> Result<(), ShapeError> {
        let operation = "causal_conv1d";
        if self.width == 0 {
            let (operand, expected, found) = ("width", 1, 0);
            return Err(ShapeError { operation, operand, expected, found });
        }
        same(operation, "weight", self.channels.saturating_mul(self.width), weight)?;
        bias.map_or(Ok(()), |bias| same(operation, "bias", self.channels, bias))?;
        same(operation, "state", self.state_elements(), state)
    }
}

/// One token of one channel: returns b + Σ w x and carries `x` on. `weight` \[K\], `state` \[K−1\]; the sum
/// starts at the bias and runs from the oldest input to the current one.
pub fn causal_conv1d_step<R: Real>(x: R, weight: &[R], bias: R, state: &mut [R]) -> R {
    let Some((&current, past)) = weight.split_last() else { return bias };
    let sum = past.iter().zip(state.iter()).fold(bias, |sum, (&w, &x)| sum + w * x);
    state.rotate_left(usize::from(!state.is_empty()));
    if let Some(newest) = state.last_mut() {
        *newest = x;
    }
    sum + current * x
}
