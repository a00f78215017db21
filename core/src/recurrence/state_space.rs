//! Linear time-invariant state spaces, the background of the paper (Huang 2025, eq. 3–5; S4: Gu et al. 2022).
//!
//! Continuous (eq. 3): h′ = A h + B x, y = C h + D x, with A \[N, N\] row-major, B and C \[N\], and scalars
//! x, y and D. [`bilinear`] discretises it, [`Discrete::step`] runs it as a recurrence, and
//! [`Discrete::kernel`] with [`convolve`] as a convolution; the last two agree up to rounding.

use crate::error::{ShapeError, enough, same};
use crate::numeric::{Real, dot::dot};

/// HiPPO-LegS (Gu et al. 2020): A\[n, k\] = −√(2n+1) √(2k+1) for n > k, −(n+1) for n = k, 0 above it, and
/// B\[n\] = √(2n+1). Fills `a` \[N, N\] and `b` \[N\].
///
/// # Errors
/// If `a` has not N² elements.
pub fn hippo_legs<R: Real>(a: &mut [R], b: &mut [R]) -> Result<(), ShapeError> {
    let size = b.len();
    same("hippo_legs", "A", size.saturating_mul(size), a.len())?;
    let root = |n: usize| R::from_count(2 * n + 1).sqrt();
    for (n, b) in b.iter_mut().enumerate() {
        *b = root(n);
        for k in 0..size {
            a[n * size + k] = match n.cmp(&k) {
                core::cmp::Ordering::Greater => -(root(n) * root(k)),
                core::cmp::Ordering::Equal => -R::from_count(n + 1),
                core::cmp::Ordering::Less => R::ZERO,
            };
        }
    }
    Ok(())
}

/// Why a system cannot be discretised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BilinearError {
    /// An operand has the wrong number of elements.
    Shape(ShapeError),
    /// I − Δ/2·A has no inverse: 2/Δ is an eigenvalue of A.
    Singular,
}

impl From<ShapeError> for BilinearError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl core::fmt::Display for BilinearError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::Singular => f.write_str("bilinear: I - dt/2 A has no inverse"),
        }
    }
}

impl core::error::Error for BilinearError {}

/// The bilinear (Tustin) discretisation with step Δ (eq. 4), in place:
///
/// A ← Ā = (I − Δ/2·A)⁻¹ (I + Δ/2·A), B ← B̄ = (I − Δ/2·A)⁻¹ Δ B.
///
/// It maps the left half plane into the unit disc: a stable system stays stable at any Δ > 0. Solved by
/// Gauss–Jordan elimination with partial pivoting, in the scalar type. `work` \[N, N\] holds I − Δ/2·A;
/// what it contained does not matter.
///
/// # Errors
/// Wrong lengths, or a matrix without inverse; then A and B are spoilt.
pub fn bilinear<R: Real>(
    a: &mut [R],
    b: &mut [R],
    dt: R,
    work: &mut [R],
) -> Result<(), BilinearError> {
    let size = b.len();
    same("bilinear", "A", size.saturating_mul(size), a.len())?;
    enough("bilinear", "work", a.len(), work.len())?;
    let half = dt / R::from_f64(2.0);
    for (index, (a, work)) in a.iter_mut().zip(work.iter_mut()).enumerate() {
        let identity = if index / size == index % size { R::ONE } else { R::ZERO };
        *work = identity - half * *a;
        *a = identity + half * *a;
    }
    for b in b.iter_mut() {
        *b = dt * *b;
    }
    for column in 0..size {
        eliminate(column, size, work, a, b)?;
    }
    Ok(())
}

/// Makes `column` of `left` a unit vector, and does the same to the right-hand sides.
fn eliminate<R: Real>(
    column: usize,
    size: usize,
    left: &mut [R],
    right: &mut [R],
    vector: &mut [R],
) -> Result<(), BilinearError> {
    let mut pivot = column;
    for row in column + 1..size {
        if left[row * size + column].abs() > left[pivot * size + column].abs() {
            pivot = row;
        }
    }
    if left[pivot * size + column] == R::ZERO {
        return Err(BilinearError::Singular);
    }
    for k in 0..size {
        left.swap(pivot * size + k, column * size + k);
        right.swap(pivot * size + k, column * size + k);
    }
    vector.swap(pivot, column);
    let divisor = left[column * size + column];
    for k in 0..size {
        left[column * size + k] = left[column * size + k] / divisor;
        right[column * size + k] = right[column * size + k] / divisor;
    }
    vector[column] = vector[column] / divisor;
    for row in (0..size).filter(|&row| row != column) {
        let factor = left[row * size + column];
        for k in 0..size {
            left[row * size + k] = left[row * size + k] - factor * left[column * size + k];
            right[row * size + k] = right[row * size + k] - factor * right[column * size + k];
        }
        vector[row] = vector[row] - factor * vector[column];
    }
    Ok(())
}

/// A discrete system h_t = Ā h_{t−1} + B̄ x_t, y_t = C h_t + D x_t, h_{−1} = 0.
#[derive(Clone, Copy, Debug)]
pub struct Discrete<'a, R> {
    /// Ā \[N, N\].
    pub a: &'a [R],
    /// B̄ \[N\].
    pub b: &'a [R],
    /// C \[N\].
    pub c: &'a [R],
    /// D.
    pub d: R,
}

impl<R: Real> Discrete<'_, R> {
    /// The recurrent form for one input: updates `h` \[N\] and returns y. `next` \[N\] is work space.
    ///
    /// # Errors
    /// Wrong lengths; nothing has changed then.
    pub fn step(&self, x: R, h: &mut [R], next: &mut [R]) -> Result<R, ShapeError> {
        self.check(h.len(), next.len())?;
        self.times_a(h, next);
        for ((h, &next), &b) in h.iter_mut().zip(next.iter()).zip(self.b) {
            *h = next + b * x;
        }
        Ok(dot(self.c, h) + self.d * x)
    }

    /// The kernel of the convolutional form (eq. 5): K_j = C Āʲ B̄ for j = 0, 1, … `kernel.len() − 1`.
    /// `h` and `next` \[N\] are work space.
    ///
    /// # Errors
    /// Wrong lengths.
    pub fn kernel(&self, kernel: &mut [R], h: &mut [R], next: &mut [R]) -> Result<(), ShapeError> {
        self.check(h.len(), next.len())?;
        h.copy_from_slice(self.b);
        for k in kernel {
            *k = dot(self.c, h);
            self.times_a(h, next);
            h.copy_from_slice(next);
        }
        Ok(())
    }

    fn times_a(&self, h: &[R], out: &mut [R]) {
        for (out, row) in out.iter_mut().zip(self.a.chunks(h.len().max(1))) {
            *out = dot(row, h);
        }
    }

    fn check(&self, h: usize, next: usize) -> Result<(), ShapeError> {
        let size = self.b.len();
        same("state_space", "A", size.saturating_mul(size), self.a.len())?;
        same("state_space", "C", size, self.c.len())?;
        same("state_space", "h", size, h)?;
        same("state_space", "next", size, next)
    }
}

/// The convolutional form: y_t = D x_t + Σ_{j ≤ t} K_j x_{t−j}, with `kernel` at least as long as `x`, and `y`
/// as long. (The paper prints x_{L−j}; x_{t−j} is meant.)
///
/// # Errors
/// Wrong lengths.
pub fn convolve<R: Real>(kernel: &[R], d: R, x: &[R], y: &mut [R]) -> Result<(), ShapeError> {
    enough("convolve", "kernel", x.len(), kernel.len())?;
    same("convolve", "y", x.len(), y.len())?;
    for (t, y) in y.iter_mut().enumerate() {
        let past = x[..=t].iter().rev();
        *y = kernel.iter().zip(past).fold(d * x[t], |sum, (&k, &x)| sum + k * x);
    }
    Ok(())
}
