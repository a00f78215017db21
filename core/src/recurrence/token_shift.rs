//! Token shift: a token mixed with the one before it (RWKV; Peng et al. 2023, 2024).
//!
//! With δ = xₜ₋₁ − xₜ and x₋₁ = 0:
//!
//! - with fixed proportions, lerp: xₜ + δ ⊙ μ;
//! - with proportions that depend on the data, ddlerp (RWKV-6, "Finch"), five streams c = w, k, v, r, g at
//!   once: mixed = xₜ + δ ⊙ μₓ, m = tanh(mixed W₁) cut into five rows of `rank`, streamᶜ = xₜ + δ ⊙ (μᶜ + mᶜ W₂ᶜ).
//!
//! The state is xₜ₋₁ \[C\]: a convolution of width 2, but for the proportions.

use crate::error::{ShapeError, enough, same};
use crate::numeric::{Real, low_rank::add_vector_matrix, tensor::Decode};

/// How many streams [`ddlerp`] makes.
pub const STREAMS: usize = 5;

/// A stream of [`ddlerp`], by its place in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// w.
    Decay,
    /// k.
    Key,
    /// v.
    Value,
    /// r.
    Receptance,
    /// g.
    Gate,
}

/// The weights of a data-dependent token shift.
#[derive(Clone, Copy, Debug)]
pub struct DdLerp<W> {
    /// μₓ \[C\].
    pub mixed: W,
    /// μᶜ \[C\] in the order of [`Stream`].
    pub streams: [W; STREAMS],
    /// W₁ \[C, 5 · rank\].
    pub down: W,
    /// W₂ \[5, rank, C\].
    pub up: W,
}

/// Extents of a data-dependent token shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DdLerpDims {
    /// C.
    pub channels: usize,
    /// Rows of each W₂ᶜ.
    pub rank: usize,
}

impl DdLerpDims {
    /// Checks the element counts of the weights and of one sequence's state.
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check<R, W: Decode<R>>(
        &self,
        weights: &DdLerp<W>,
        state: usize,
    ) -> Result<(), ShapeError> {
        let operation = "ddlerp";
        let low_rank = self.channels.saturating_mul(self.rank).saturating_mul(STREAMS);
        enough(operation, "extents", 1, self.channels.min(self.rank))?;
        same(operation, "mixed", self.channels, weights.mixed.elements())?;
        for stream in &weights.streams {
            same(operation, "streams", self.channels, stream.elements())?;
        }
        same(operation, "W1", low_rank, weights.down.elements())?;
        same(operation, "W2", low_rank, weights.up.elements())?;
        same(operation, "state", self.channels, state)
    }

    /// Elements of work space for [`ddlerp`]: one row of each weight in turn.
    pub const fn work_elements(&self) -> usize {
        let low_rank = self.rank.saturating_mul(STREAMS);
        let rows = if self.channels > low_rank { self.channels } else { low_rank };
        self.channels.saturating_add(low_rank).saturating_add(rows)
    }
}

/// x + δ ⊙ μ of one token: `before` is xₜ₋₁; all \[C\].
pub fn lerp<R: Real>(x: &[R], before: &[R], proportions: &[R], out: &mut [R]) {
    for (((out, &x), &before), &mu) in out.iter_mut().zip(x).zip(before).zip(proportions) {
        *out = x + (before - x) * mu;
    }
}

/// The five streams of one token: `x` and `before` \[C\], `out` \[5, C\], `work` of
/// [`DdLerpDims::work_elements`], whatever it holds.
///
/// μᶜ + mᶜ W₂ᶜ is summed from μᶜ on, row by row.
///
/// # Errors
/// Wrong lengths.
pub fn ddlerp<R: Real, W: Decode<R>>(
    dims: &DdLerpDims,
    weights: &DdLerp<W>,
    (x, before): (&[R], &[R]),
    work: &mut [R],
    out: &mut [R],
) -> Result<(), ShapeError> {
    let DdLerpDims { channels, rank } = *dims;
    let low_rank = rank.saturating_mul(STREAMS);
    enough("ddlerp", "extents", 1, channels.min(rank))?;
    same("ddlerp", "x", channels, x.len())?;
    same("ddlerp", "before", channels, before.len())?;
    same("ddlerp", "out", channels.saturating_mul(STREAMS), out.len())?;
    enough("ddlerp", "work", dims.work_elements(), work.len())?;
    let (mixed, work) = work.split_at_mut(channels);
    let (m, row) = work.split_at_mut(low_rank);
    weights.mixed.decode(0, &mut row[..channels])?;
    lerp(x, before, &row[..channels], mixed);
    m.fill(R::ZERO);
    let down = |i: usize, row: &mut [R]| weights.down.decode(i * low_rank, row);
    add_vector_matrix(mixed, down, &mut row[..low_rank], m)?;
    for m in m.iter_mut() {
        *m = m.tanh();
    }
    for (c, (stream, out)) in weights.streams.iter().zip(out.chunks_exact_mut(channels)).enumerate()
    {
        stream.decode(0, mixed)?;
        let up = |i: usize, row: &mut [R]| weights.up.decode((c * rank + i) * channels, row);
        add_vector_matrix(&m[c * rank..][..rank], up, &mut row[..channels], mixed)?;
        lerp(x, before, mixed, out);
    }
    Ok(())
}
