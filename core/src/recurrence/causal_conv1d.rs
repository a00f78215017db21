//! Depthwise causal convolution with carried inputs.
//!
//! y\[t, c\] = f(b\[c\] + Σ_{j < K} w\[c, j\] · x\[t − K + 1 + j, c\]), x\[t < 0\] = 0: w\[c, K−1\] meets the
//! current token. The state holds the last K − 1 inputs of every channel, \[C, K−1\], oldest first.

use crate::error::{ShapeError, same};
use crate::numeric::{Real, activation::Activation};

/// The weights of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Conv<W> {
    /// w \[C, 1, K\].
    pub weight: W,
    /// b \[C\].
    pub bias: Option<W>,
}

/// Extents of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvDims {
    /// C.
    pub channels: usize,
    /// K, at least 1.
    pub width: usize,
    /// f.
    pub activation: Activation,
    /// A fault of mamba_ssm, reproduced: what a prompt leaves in the state are the last K − 1 *outputs*. The
    /// prompt is the call that begins at position 0.
    pub prompt_leaves_outputs: bool,
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

/// What `prompt_leaves_outputs` puts in the state of one channel after a prompt with these `outputs`: the
/// last K − 1 of them, zeros before.
pub fn keep_outputs<R: Real>(
    outputs: impl DoubleEndedIterator<Item = R> + ExactSizeIterator,
    state: &mut [R],
) {
    state.fill(R::ZERO);
    for (kept, output) in state.iter_mut().rev().zip(outputs.rev()) {
        *kept = output;
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
