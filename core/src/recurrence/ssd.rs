//! The structured state-space dual of Mamba-2 (Dao and Gu 2024), as a recurrence and in chunks.
//!
//! For head h, whose group g = ⌊h / (H/G)⌋ it shares B and C with:
//!
//! Sₜ = e^(Δₜ A) Sₜ₋₁ + Δₜ xₜ ⊗ Bₜ, yₜ = Sₜ Cₜ + D xₜ
//!
//! | name | shape | meaning |
//! |---|---|---|
//! | x, y | \[T, H, P\] | input and output |
//! | B, C | \[T, G, N\] | write and read vectors |
//! | Δ | \[T, H\] | step, after softplus |
//! | A, D | \[H\] | decay (negative) and skip |
//! | S | \[H, P, N\] | state |
//!
//! x, B and C of a token lie side by side, as Mamba-2's convolution leaves them.

use crate::error::{ShapeError, enough, same};
use crate::numeric::{Real, dot::dot};

/// Extents of one SSD layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsdDims {
    /// H, heads.
    pub heads: usize,
    /// P, channels of a head.
    pub head_dim: usize,
    /// N, state size of a channel.
    pub state: usize,
    /// G, groups of heads that share B and C; divides H.
    pub groups: usize,
}

impl SsdDims {
    /// H · P, the width of x and y.
    pub const fn inner(&self) -> usize {
        self.heads.saturating_mul(self.head_dim)
    }

    /// G · N, the width of B and of C.
    pub const fn group_width(&self) -> usize {
        self.groups.saturating_mul(self.state)
    }

    /// H · P + 2 G · N, the width of x, B and C side by side.
    pub const fn xbc_width(&self) -> usize {
        self.inner().saturating_add(self.group_width().saturating_mul(2))
    }

    /// H · P · N, elements of the state.
    pub const fn state_elements(&self) -> usize {
        self.inner().saturating_mul(self.state)
    }

    /// Checks that nothing is 0, that G divides H, and the element counts of A, D and one sequence's state.
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check(&self, a: usize, d: usize, state: usize) -> Result<(), ShapeError> {
        let least = self.heads.min(self.head_dim).min(self.state).min(self.groups);
        enough("ssd", "extents", 1, least)?;
        let per_group = self.heads.checked_div(self.groups).unwrap_or(0);
        same("ssd", "groups", self.heads, per_group.saturating_mul(self.groups))?;
        same("ssd", "A", self.heads, a)?;
        same("ssd", "D", self.heads, d)?;
        same("ssd", "state", self.state_elements(), state)
    }

    /// x, B and C of the head in one token's row.
    fn head<'r, R>(&self, head: usize, xbc: &'r [R]) -> (&'r [R], &'r [R], &'r [R]) {
        let group = head / (self.heads / self.groups) * self.state;
        let (x, bc) = xbc.split_at(self.inner());
        let (b, c) = bc.split_at(self.group_width());
        let x = &x[head * self.head_dim..][..self.head_dim];
        (x, &b[group..][..self.state], &c[group..][..self.state])
    }
}

/// What a head of the recurrence has of its own, as a checkpoint stores it.
#[derive(Clone, Copy, Debug)]
pub struct SsdHeads<W> {
    /// \[H\], added to Δ before softplus.
    pub dt_bias: W,
    /// \[H\]: A = −e^A_log.
    pub a_log: W,
    /// D \[H\].
    pub d: W,
}

/// Decays and skips of a layer.
#[derive(Clone, Copy, Debug)]
pub struct SsdParameters<'a, R> {
    /// A \[H\], negative.
    pub a: &'a [R],
    /// D \[H\].
    pub d: &'a [R],
}

/// The recurrence for one token: `xbc` \[H·P + 2 G·N\], `dt` \[H\]; updates `state` \[H, P, N\] and writes
/// `y` \[H, P\].
///
/// # Errors
/// Wrong lengths; nothing has changed then.
pub fn ssd_step<R: Real>(
    dims: &SsdDims,
    parameters: &SsdParameters<'_, R>,
    (xbc, dt): (&[R], &[R]),
    state: &mut [R],
    y: &mut [R],
) -> Result<(), ShapeError> {
    dims.check(parameters.a.len(), parameters.d.len(), state.len())?;
    same("ssd_step", "xBC", dims.xbc_width(), xbc.len())?;
    same("ssd_step", "dt", dims.heads, dt.len())?;
    same("ssd_step", "y", dims.inner(), y.len())?;
    for head in 0..dims.heads {
        let (x, b, c) = dims.head(head, xbc);
        let decay = (dt[head] * parameters.a[head]).exp();
        let y = &mut y[head * dims.head_dim..][..dims.head_dim];
        let state = &mut state[head * dims.head_dim * dims.state..];
        for ((y, &x), row) in y.iter_mut().zip(x).zip(state.chunks_exact_mut(dims.state)) {
            let input = dt[head] * x;
            for (s, &b) in row.iter_mut().zip(b) {
                *s = decay * *s + input * b;
            }
            *y = dot(row, c) + parameters.d[head] * x;
        }
    }
    Ok(())
}

/// The chunked form (Dao and Gu 2024, §6) over T tokens, `chunk` at a time, the last chunk as long as it
/// comes: equal to [`ssd_step`] token by token up to rounding, and made of matrix products.
///
/// With c(j, i) = Σ_{j < s ≤ i} Δₛ A within a chunk of tokens 1..L, and S the state before it:
///
/// yᵢ = e^c(0, i) S Cᵢ + Σ_{j ≤ i} (Cᵢ·Bⱼ) e^c(j, i) Δⱼ xⱼ + D xᵢ, S ← e^c(0, L) S + Σⱼ e^c(j, L) Δⱼ xⱼ ⊗ Bⱼ
///
/// No c is positive, so nothing overflows. Each c(j, i) is summed by itself: as a difference of two sums
/// from the chunk's start it would lose, in f32, all digits that a strong decay before j takes up.
/// `xbc` \[T, H·P + 2 G·N\], `dt` \[T, H\], `y` \[T, H, P\].
///
/// # Errors
/// Wrong lengths, or `chunk` = 0; nothing has changed then.
pub fn ssd_chunk_scan<R: Real>(
    dims: &SsdDims,
    parameters: &SsdParameters<'_, R>,
    (xbc, dt): (&[R], &[R]),
    chunk: usize,
    state: &mut [R],
    y: &mut [R],
) -> Result<(), ShapeError> {
    let operation = "ssd_chunk_scan";
    dims.check(parameters.a.len(), parameters.d.len(), state.len())?;
    enough(operation, "chunk", 1, chunk)?;
    let tokens = dt.len() / dims.heads;
    same(operation, "dt", tokens.saturating_mul(dims.heads), dt.len())?;
    same(operation, "xBC", tokens.saturating_mul(dims.xbc_width()), xbc.len())?;
    same(operation, "y", tokens.saturating_mul(dims.inner()), y.len())?;
    let rows = xbc.chunks(chunk.saturating_mul(dims.xbc_width()));
    let outs = y.chunks_mut(chunk.saturating_mul(dims.inner()));
    for ((xbc, dt), y) in rows.zip(dt.chunks(chunk.saturating_mul(dims.heads))).zip(outs) {
        let inputs = Chunk { dims, xbc, dt };
        let states = state.chunks_exact_mut(dims.head_dim * dims.state);
        for (head, state) in states.enumerate() {
            let (a, d) = (parameters.a[head], parameters.d[head]);
            inputs.outputs(head, a, d, state, y);
            inputs.advance(head, a, state);
        }
    }
    Ok(())
}

/// The inputs of one chunk.
struct Chunk<'a, R> {
    dims: &'a SsdDims,
    xbc: &'a [R],
    dt: &'a [R],
}

impl<R: Real> Chunk<'_, R> {
    fn tokens(&self) -> usize {
        self.dt.len() / self.dims.heads
    }

    fn dt(&self, token: usize, head: usize) -> R {
        self.dt[token * self.dims.heads + head]
    }

    fn head(&self, token: usize, head: usize) -> (&[R], &[R], &[R]) {
        let width = self.dims.xbc_width();
        self.dims.head(head, &self.xbc[token * width..][..width])
    }

    /// y for every token, `state` still being the one that came in. Sums run from the newest token back.
    fn outputs(&self, head: usize, a: R, d: R, state: &[R], y: &mut [R]) {
        let (inner, p) = (self.dims.inner(), self.dims.head_dim);
        for i in 0..self.tokens() {
            let (x, _, c) = self.head(i, head);
            let y = &mut y[i * inner + head * p..][..p];
            for (y, &x) in y.iter_mut().zip(x) {
                *y = d * x;
            }
            let mut log_decay = R::ZERO;
            for j in (0..=i).rev() {
                let (x, b, _) = self.head(j, head);
                let weight = dot(c, b) * log_decay.exp() * self.dt(j, head);
                for (y, &x) in y.iter_mut().zip(x) {
                    *y += weight * x;
                }
                log_decay += self.dt(j, head) * a;
            }
            for (y, row) in y.iter_mut().zip(state.chunks_exact(self.dims.state)) {
                *y += log_decay.exp() * dot(row, c);
            }
        }
    }

    /// The state after the chunk.
    fn advance(&self, head: usize, a: R, state: &mut [R]) {
        let total = (0..self.tokens()).fold(R::ZERO, |sum, j| sum + self.dt(j, head) * a);
        for s in state.iter_mut() {
            *s = total.exp() * *s;
        }
        let mut log_decay = R::ZERO;
        for j in (0..self.tokens()).rev() {
            let (x, b, _) = self.head(j, head);
            let weight = log_decay.exp() * self.dt(j, head);
            for (&x, row) in x.iter().zip(state.chunks_exact_mut(self.dims.state)) {
                for (s, &b) in row.iter_mut().zip(b) {
                    *s += weight * x * b;
                }
            }
            log_decay += self.dt(j, head) * a;
        }
    }
}
