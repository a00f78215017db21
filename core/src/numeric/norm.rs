//! Normalisations of one token. Mean squares are summed in [`dot`]'s order, means from the first element
//! to the last, all in the scalar type.

use super::{Real, activation::silu, dot::dot};
use crate::error::{ShapeError, enough, same};

/// Extents of a norm over several tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormDims {
    /// T, tokens.
    pub rows: usize,
    /// Channels.
    pub width: usize,
    /// ε.
    pub epsilon: f64,
}

impl NormDims {
    /// Checks element counts; `operation` is the norm that asks.
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check(
        &self,
        operation: &'static str,
        x: usize,
        weight: usize,
        out: usize,
    ) -> Result<(), ShapeError> {
        let elements = self.rows.saturating_mul(self.width);
        enough(operation, "width", 1, self.width)?;
        enough(operation, "x", elements, x)?;
        same(operation, "weight", self.width, weight)?;
        enough(operation, "out", elements, out)
    }
}

/// Extents of a gated norm over several tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GatedNormDims {
    /// T, tokens.
    pub rows: usize,
    /// Channels, a multiple of `groups`.
    pub width: usize,
    /// Groups of channels that are normed apart.
    pub groups: usize,
    /// ε.
    pub epsilon: f64,
}

impl GatedNormDims {
    /// Checks element counts (the gate is checked with its columns); `operation` is the norm that asks.
    ///
    /// # Errors
    /// The first operand that does not fit.
    pub fn check(
        &self,
        operation: &'static str,
        x: usize,
        weight: usize,
    ) -> Result<(), ShapeError> {
        let per_group = self.width.checked_div(self.groups).unwrap_or(0);
        same(operation, "groups", self.width, per_group * self.groups)?;
        enough(operation, "width", 1, self.width)?;
        enough(operation, "x", self.rows.saturating_mul(self.width), x)?;
        same(operation, "weight", self.width, weight)
    }
}

/// 1 / √(mean(x²) + ε).
fn inverse_rms<R: Real>(x: &[R], epsilon: R) -> R {
    R::ONE / (dot(x, x) / R::from_count(x.len()) + epsilon).sqrt()
}

/// RMSNorm (Zhang and Sennrich 2019): outᵢ = xᵢ / √(mean(x²) + ε) · wᵢ.
pub fn rms_norm<R: Real>(x: &[R], weight: &[R], epsilon: R, out: &mut [R]) {
    let scale = inverse_rms(x, epsilon);
    for ((out, &x), &w) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * w;
    }
}

/// Mamba-2's output norm, gate before norm (Dao and Gu 2024; `norm_before_gate = False`), in place:
/// x ← x ⊙ silu(z), then [`rms_norm`] of each of `groups` equal groups of channels. With `groups` = 0,
/// or more groups than channels, x is gated only.
pub fn gated_rms_norm<R: Real>(x: &mut [R], z: &[R], groups: usize, weight: &[R], epsilon: R) {
    for (x, &z) in x.iter_mut().zip(z) {
        *x = *x * silu(z);
    }
    for (x, weight) in equal_groups(x, groups).zip(equal_parts(weight, groups)) {
        let scale = inverse_rms(x, epsilon);
        for (x, &w) in x.iter_mut().zip(weight) {
            *x = *x * scale * w;
        }
    }
}

/// LayerNorm (Ba et al. 2016), in place: xᵢ ← (xᵢ − mean(x)) / √(var(x) + ε) · wᵢ + bᵢ, with the biased
/// variance of the centred row.
pub fn layer_norm<R: Real>(x: &mut [R], weight: &[R], bias: &[R], epsilon: R) {
    let sum = x.iter().fold(R::ZERO, |sum, &x| sum + x);
    let mean = sum / R::from_count(x.len());
    for x in x.iter_mut() {
        *x = *x - mean;
    }
    let scale = inverse_rms(x, epsilon);
    for ((x, &w), &b) in x.iter_mut().zip(weight).zip(bias) {
        *x = *x * scale * w + b;
    }
}

/// RWKV-6's output norm, gate after norm (Peng et al. 2024, §4.2), in place: x ← [`group_norm`]\(x\) ⊙
/// silu(gate).
pub fn gated_group_norm<R: Real>(
    x: &mut [R],
    gate: &[R],
    groups: usize,
    (weight, bias): (&[R], &[R]),
    epsilon: R,
) {
    group_norm(x, groups, weight, bias, epsilon);
    for (x, &gate) in x.iter_mut().zip(gate) {
        *x = *x * silu(gate);
    }
}

/// GroupNorm (Wu and He 2018) of one token, in place: [`layer_norm`] of each of `groups` equal groups of
/// channels with that group's part of `weight` and `bias`. With `groups` = 0, or more groups than
/// channels, nothing happens.
pub fn group_norm<R: Real>(x: &mut [R], groups: usize, weight: &[R], bias: &[R], epsilon: R) {
    let parameters = equal_parts(weight, groups).zip(equal_parts(bias, groups));
    for (x, (weight, bias)) in equal_groups(x, groups).zip(parameters) {
        layer_norm(x, weight, bias, epsilon);
    }
}

fn equal_groups<R>(row: &mut [R], groups: usize) -> impl Iterator<Item = &mut [R]> {
    let size = row.len().checked_div(groups).unwrap_or(0);
    row.chunks_exact_mut(size.max(1)).take(if size == 0 { 0 } else { groups })
}

fn equal_parts<R>(row: &[R], groups: usize) -> impl Iterator<Item = &[R]> {
    let size = row.len().checked_div(groups).unwrap_or(0);
    row.chunks_exact(size.max(1)).take(if size == 0 { 0 } else { groups })
}
