//! The real-gated linear recurrent unit of Griffin and RecurrentGemma (De et al. 2024, §2.4).
//!
//! For each channel, with input vₜ and gates that are block-diagonal maps of vₜ (a block reads and writes
//! its own `R / blocks` channels):
//!
//! iₜ = σ(vₜ Wᵢ + bᵢ), rₜ = σ(vₜ Wᵣ + bᵣ), log aₜ = −8 rₜ softplus(Λ)
//!
//! hₜ = aₜ hₜ₋₁ + √(1 − aₜ²) (iₜ vₜ); at position 0, h₀ = i₀ v₀
//!
//! | name | shape | meaning |
//! |---|---|---|
//! | v, h | \[T, R\] | input and output |
//! | Wᵢ, Wᵣ | \[blocks, R/blocks (in), R/blocks (out)\] | gates |
//! | bᵢ, bᵣ | \[blocks, R/blocks\] | their biases |
//! | Λ | \[R\] | decay parameter |
//!
//! The state is hₜ₋₁ \[R\]. 1 − a² is −expm1(2 log a): for decays near 1 the plain form has no digits left.

use crate::error::{ShapeError, enough, same};
use crate::numeric::{
    Real,
    activation::{sigmoid, softplus},
    low_rank::add_vector_matrix,
    tensor::Decode,
};

/// How strongly the recurrence gate acts on the decay ("c" in the paper).
pub const GATE_STRENGTH: f64 = 8.0;

/// One block-diagonal gate.
#[derive(Clone, Copy, Debug)]
pub struct BlockGate<W> {
    /// W \[blocks, R/blocks (in), R/blocks (out)\].
    pub weight: W,
    /// b \[blocks, R/blocks\].
    pub bias: W,
}

/// The weights of a unit.
#[derive(Clone, Copy, Debug)]
pub struct RgLruWeights<W> {
    /// i.
    pub input_gate: BlockGate<W>,
    /// r.
    pub recurrent_gate: BlockGate<W>,
    /// Λ \[R\].
    pub decay: W,
}

/// Extents of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RgLruDims {
    /// R.
    pub channels: usize,
    /// Blocks of the gates; divides R.
    pub blocks: usize,
}

impl RgLruDims {
    /// R / blocks.
    pub const fn block_width(&self) -> usize {
        match self.channels.checked_div(self.blocks) {
            Some(width) => width,
            None => 0,
        }
    }

    /// R² / blocks, elements of a gate.
    pub const fn gate_elements(&self) -> usize {
        self.channels.saturating_mul(self.block_width())
    }

    /// Elements of work space for all tokens of a layer: decays, both gates, a row of a gate's weight.
    pub const fn work_elements(&self) -> usize {
        self.channels.saturating_mul(3).saturating_add(self.block_width())
    }

    /// Checks that nothing is 0, that the blocks divide R, and the element counts of the weights and of one
    /// sequence's state.
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check<R, W: Decode<R>>(
        &self,
        weights: &RgLruWeights<W>,
        state: usize,
    ) -> Result<(), ShapeError> {
        let operation = "rg_lru";
        enough(operation, "extents", 1, self.channels.min(self.blocks))?;
        same(operation, "blocks", self.channels, self.block_width().saturating_mul(self.blocks))?;
        for gate in [&weights.input_gate, &weights.recurrent_gate] {
            same(operation, "gate", self.gate_elements(), gate.weight.elements())?;
            same(operation, "gate bias", self.channels, gate.bias.elements())?;
        }
        same(operation, "decay", self.channels, weights.decay.elements())?;
        same(operation, "state", self.channels, state)
    }
}

/// A gate of one token before σ: b + v W, block by block, the sum from b on through the block's channels.
/// `v` and `out` \[R\], `work` \[R/blocks\].
///
/// # Errors
/// Weights that end too soon.
pub fn block_gate<R: Real, W: Decode<R>>(
    dims: &RgLruDims,
    gate: &BlockGate<W>,
    v: &[R],
    work: &mut [R],
    out: &mut [R],
) -> Result<(), ShapeError> {
    let width = dims.block_width().max(1);
    gate.bias.decode(0, out)?;
    let blocks = v.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for (block, (v, out)) in blocks.enumerate() {
        let row = |i: usize, row: &mut [R]| gate.weight.decode((block * width + i) * width, row);
        add_vector_matrix(v, row, work, out)?;
    }
    Ok(())
}

/// log a = −8 σ(r) softplus(Λ): `r` before σ, `decay` is softplus(Λ).
pub fn log_decay<R: Real>(r: R, decay: R) -> R {
    R::from_f64(-GATE_STRENGTH) * sigmoid(r) * decay
}

/// One token of one channel: `gates` are i and r before σ, `decay` is softplus(Λ); updates `h` and returns
/// it. With `first`, position 0, what `h` held is dropped.
pub fn rg_lru_step<R: Real>(v: R, (i, r): (R, R), decay: R, first: bool, h: &mut R) -> R {
    let input = sigmoid(i) * v;
    *h = if first {
        input
    } else {
        let log_a = log_decay(r, decay);
        log_a.exp() * *h + (-(log_a + log_a).exp_m1()).sqrt() * input
    };
    *h
}

/// softplus(Λ), in place.
pub fn decays<R: Real>(decay: &mut [R]) {
    for decay in decay {
        *decay = softplus(*decay);
    }
}
