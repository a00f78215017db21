//! The recurrence of RWKV-6, "Finch" (Peng et al. 2024, §4.2), with a decay for every channel and token.
//!
//! For each head:
//!
//! oₜ = rₜ (Sₜ₋₁ + diag(u) kₜᵀ vₜ), Sₜ = diag(wₜ) Sₜ₋₁ + kₜᵀ vₜ, wₜ = e^(−e^dₜ)
//!
//! | name | shape | meaning |
//! |---|---|---|
//! | r, k | \[T, H, K\] | receptance (read) and key (write) |
//! | v, o | \[T, H, V\] | value and output, V = K |
//! | d | \[T, H, K\] | log of the rate of decay; w is in (0, 1) |
//! | u | \[H, K\] | bonus of the current token |
//! | S | \[H, K, V\] | state; the decay acts on the key axis |
//!
//! There is no 1/√K.

use crate::error::{ShapeError, enough, same};
use crate::numeric::Real;

/// Extents of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wkv6Dims {
    /// H, heads.
    pub heads: usize,
    /// K = V, channels of a head.
    pub head_dim: usize,
}

impl Wkv6Dims {
    /// H · K, the width of r, k, v, d and o.
    pub const fn width(&self) -> usize {
        self.heads.saturating_mul(self.head_dim)
    }

    /// H · K · V, elements of the state.
    pub const fn state_elements(&self) -> usize {
        self.width().saturating_mul(self.head_dim)
    }

    /// Checks that nothing is 0, and the element counts of u and of one sequence's state.
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check(&self, bonus: usize, state: usize) -> Result<(), ShapeError> {
        enough("wkv6", "extents", 1, self.heads.min(self.head_dim))?;
        same("wkv6", "bonus", self.width(), bonus)?;
        same("wkv6", "state", self.state_elements(), state)
    }
}

/// What a token brings, each \[H · K\].
#[derive(Clone, Copy, Debug)]
pub struct Wkv6Token<'a, R> {
    /// r.
    pub receptance: &'a [R],
    /// k.
    pub key: &'a [R],
    /// v.
    pub value: &'a [R],
    /// d.
    pub decay: &'a [R],
}

/// ln w = −e^d.
pub fn log_decay<R: Real>(d: R) -> R {
    -d.exp()
}

/// w = e^(−e^d).
pub fn decay<R: Real>(d: R) -> R {
    log_decay(d).exp()
}

/// One token: updates `state` \[H, K, V\] and writes `out` \[H, V\]. Sums run over the key channels, first to
/// last.
///
/// # Errors
/// Wrong lengths; nothing has changed then.
pub fn wkv6_step<R: Real>(
    dims: &Wkv6Dims,
    token: &Wkv6Token<'_, R>,
    bonus: &[R],
    state: &mut [R],
    out: &mut [R],
) -> Result<(), ShapeError> {
    let (width, head_dim) = (dims.width(), dims.head_dim);
    dims.check(bonus.len(), state.len())?;
    for (operand, found) in [
        ("receptance", token.receptance.len()),
        ("key", token.key.len()),
        ("value", token.value.len()),
        ("decay", token.decay.len()),
        ("out", out.len()),
    ] {
        same("wkv6_step", operand, width, found)?;
    }
    let values = token.value.chunks_exact(head_dim).zip(out.chunks_exact_mut(head_dim));
    let heads = state.chunks_exact_mut(head_dim * head_dim).zip(values);
    for (head, (state, (value, out))) in heads.enumerate() {
        out.fill(R::ZERO);
        for (i, row) in state.chunks_exact_mut(head_dim).enumerate() {
            let channel = head * head_dim + i;
            let (r, k, u) = (token.receptance[channel], token.key[channel], bonus[channel]);
            let w = decay(token.decay[channel]);
            for ((s, &v), out) in row.iter_mut().zip(value).zip(out.iter_mut()) {
                let kv = k * v;
                *out += r * (*s + u * kv);
                *s = w * *s + kv;
            }
        }
    }
    Ok(())
}
