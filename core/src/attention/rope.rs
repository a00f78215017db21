//! Rotary position embedding (Su et al. 2021), "rotate half" layout, on the first r of a head's channels.
//!
//! θᵢ = base^(−2i/r), φ = t θᵢ for i < r/2; with a = x\[i\] and b = x\[i + r/2\]:
//!
//! a′ = a cos φ − b sin φ, b′ = b cos φ + a sin φ; channels from r on stay.
//!
//! θᵢ is computed in f64 and rounded to the scalar type, then multiplied by t in the scalar type. In f32
//! this is what the models' own libraries do, to one rounding of θ: at t = 16,384 that rounding alone is
//! 1e-3 rad, so an f32 model is nearer to its library than to the exact angle. In f64 it is exact.

use crate::numeric::Real;

/// θ for r/2 = `frequencies.len()` pairs.
pub fn rope_frequencies<R: Real>(base: f64, frequencies: &mut [R]) {
    let pairs = frequencies.len() as f64;
    for (i, frequency) in frequencies.iter_mut().enumerate() {
        *frequency = R::from_f64(libm::pow(base, -(i as f64) / pairs));
    }
}

/// cos φ and sin φ of the token at `position`, each \[r/2\].
pub fn rope_rotation<R: Real>(position: usize, frequencies: &[R], cos: &mut [R], sin: &mut [R]) {
    for ((&frequency, cos), sin) in frequencies.iter().zip(cos).zip(sin) {
        let angle = R::from_count(position) * frequency;
        (*cos, *sin) = (angle.cos(), angle.sin());
    }
}

/// Rotates one head \[D\] in place, with `cos` and `sin` \[r/2\], r ≤ D. (With a shorter head nothing
/// happens.)
pub fn rope<R: Real>(head: &mut [R], cos: &[R], sin: &[R]) {
    let Some(rotated) = head.get_mut(..2 * cos.len()) else { return };
    let (first, second) = rotated.split_at_mut(cos.len());
    for ((a, b), (&cos, &sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
    }
}
