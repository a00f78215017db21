//! Transcendental functions in f32 that a compiler can vectorise: no branches, no tables.
//!
//! Errors against the exact functions stay within a few units in the last place (tested in `tests/tests/cpu_rows/math.rs`).
//! A NaN gives a NaN.

use core::f32::consts::LOG2_E;

/// ln 2 in two parts; the first has so few digits that n times it is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Adding this to a number below 2²² in magnitude rounds it to a whole one, which then stands in the lowest bits.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Below the first eˣ is nearer to 0 than to any f32, above the second it is none.
const RANGE: [f32; 2] = [-104.0, 89.0];

/// eˣ, where f32 ends as IEEE 754 rounds it: by way of subnormal numbers to 0 (below −103.98), and to ∞ (above 88.73).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = if x < RANGE[0] { RANGE[0] } else { x };
    let x = if x > RANGE[1] { RANGE[1] } else { x };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    // eʳ for |r| ≤ ½ ln 2 (Cephes' polynomial, after Moshier).
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let e = p * r * r + r + 1.0;
    // 2ⁿ in two factors: n is −150 to 128, of which 2ⁿ is not always a normal number.
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23).cast_unsigned());
    e * power(half) * power(n.wrapping_sub(half))
}

/// σ(x) = 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    times_sigmoid(1.0, x)
}

/// x σ(x).
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    times_sigmoid(x, x)
}

/// y σ(x), by e^−|x| so that nothing overflows and the smallest results keep their digits.
#[inline(always)]
fn times_sigmoid(y: f32, x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x < 0.0 { y * e } else { y }) / (1.0 + e)
}

/// tanh x = sign(x) (1 − e^(−2|x|)) / (1 + e^(−2|x|)), near 0 its Taylor polynomial.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let e = exp(-2.0 * x.abs());
    let far = ((1.0 - e) / (1.0 + e)).copysign(x);
    let s = x * x;
    let near =
        x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    if x.abs() < 0.3 { near } else { far }
}

/// ½ x (1 + tanh u) = x σ(2 u), u = √(2/π) (x + 0.044715 x³).
#[inline(always)]
pub fn gelu_tanh(x: f32) -> f32 {
    /// 2 √(2/π), and that times 0.044715.
    const INNER: [f32; 2] = [1.595_769_2, 0.071_354_814];
    times_sigmoid(x, x * (INNER[0] + INNER[1] * (x * x)))
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|).
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let y = exp(-x.abs());
    // ln(1 + y) = 2 artanh(s), s = y / (2 + y) ≤ ⅓.
    let s = y / (2.0 + y);
    let q = s * s;
    let p = q * (1.0 / 13.0) + 1.0 / 11.0;
    let p = p * q + 1.0 / 9.0;
    let p = p * q + 1.0 / 7.0;
    let p = p * q + 1.0 / 5.0;
    let p = p * q + 1.0 / 3.0;
    let ln = 2.0 * s * (p * q + 1.0);
    (if x > 0.0 { x } else { 0.0 }) + ln
}

/// eˣ − 1, with all its digits near 0.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let far = exp(x) - 1.0;
    // The Taylor polynomial; the first term left out is x⁹ / 9!.
    let p = x * (1.0 / 40_320.0) + 1.0 / 5_040.0;
    let p = p * x + 1.0 / 720.0;
    let p = p * x + 1.0 / 120.0;
    let p = p * x + 1.0 / 24.0;
    let p = p * x + 1.0 / 6.0;
    let p = p * x + 1.0 / 2.0;
    let near = p * x * x + x;
    if x.abs() < 0.5 { near } else { far }
}

/// The sum of some values, their halves first; they are a power of two in number.
#[inline(always)]
pub fn pairwise<const N: usize>(mut values: [f32; N]) -> f32 {
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            values[i] += values[i + half];
        }
        half /= 2;
    }
    values[0]
}
