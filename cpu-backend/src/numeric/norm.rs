//! Norms of every row. Sums are made in [`LANES`] parts, which are added pairwise at the end.

use longseq_core::{
    backend::{Columns, GatedGroupNorm, GatedRmsNorm, LayerNorm, RmsNorm},
    error::same,
    numeric::norm::{GatedNormDims, NormDims},
};

use super::{
    math::{pairwise, silu},
    rows::each_row,
};
use crate::{Cpu, Result, weight::Weight};

impl RmsNorm for Cpu {
    fn rms_norm(
        &mut self,
        dims: &NormDims,
        x: &[f32],
        weight: &Weight,
        one_plus: bool,
        out: &mut [f32],
    ) -> Result {
        let NormDims { rows, width, epsilon } = *dims;
        let weight = weight.values("rms_norm")?;
        dims.check("rms_norm", x.len(), weight.len(), out.len())?;
        let plus = if one_plus { 1.0 } else { 0.0 };
        each_row(
            self.isa,
            width,
            &mut out[..rows * width],
            #[inline(always)]
            |row, out| {
                let x = &x[row * width..][..width];
                let scale = inverse_rms(x, 0.0, epsilon as f32);
                for ((out, &x), &w) in out.iter_mut().zip(x).zip(weight) {
                    *out = x * scale * (plus + w);
                }
            },
        );
        Ok(())
    }
}

impl LayerNorm for Cpu {
    fn layer_norm(
        &mut self,
        dims: &NormDims,
        x: &[f32],
        weight: &Weight,
        bias: &Weight,
        out: &mut [f32],
    ) -> Result {
        let NormDims { rows, width, epsilon } = *dims;
        let (weight, bias) = (weight.values("layer_norm")?, bias.values("layer_norm")?);
        dims.check("layer_norm", x.len(), weight.len(), out.len())?;
        same("layer_norm", "bias", width, bias.len())?;
        each_row(
            self.isa,
            width,
            &mut out[..rows * width],
            #[inline(always)]
            |row, out| {
                let x = &x[row * width..][..width];
                let (mean, scale) = centre_and_scale(x, epsilon as f32);
                for (((out, &x), &w), &b) in out.iter_mut().zip(x).zip(weight).zip(bias) {
                    *out = (x - mean) * scale * w + b;
                }
            },
        );
        Ok(())
    }
}

impl GatedRmsNorm for Cpu {
    fn gated_rms_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut [f32],
        z: Columns<&[f32]>,
        weight: &Weight,
    ) -> Result {
        let GatedNormDims { rows, width, groups, epsilon } = *dims;
        let weight = weight.values("gated_rms_norm")?;
        dims.check("gated_rms_norm", x.len(), weight.len())?;
        z.check(("gated_rms_norm", "z"), (rows, width), z.buffer.len())?;
        let group = width / groups;
        each_row(
            self.isa,
            width,
            &mut x[..rows * width],
            #[inline(always)]
            |row, x| {
                let z = &z.buffer[z.row(row, width)];
                let groups = x.chunks_exact_mut(group).zip(z.chunks_exact(group));
                for ((x, z), w) in groups.zip(weight.chunks_exact(group)) {
                    for (x, &z) in x.iter_mut().zip(z) {
                        *x *= silu(z);
                    }
                    let scale = inverse_rms(x, 0.0, epsilon as f32);
                    for (x, &w) in x.iter_mut().zip(w) {
                        *x = *x * scale * w;
                    }
                }
            },
        );
        Ok(())
    }
}

impl GatedGroupNorm for Cpu {
    fn gated_group_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut [f32],
        gate: Columns<&[f32]>,
        weight: &Weight,
        bias: &Weight,
    ) -> Result {
        let GatedNormDims { rows, width, groups, epsilon } = *dims;
        let operation = "gated_group_norm";
        let (weight, bias) = (weight.values(operation)?, bias.values(operation)?);
        dims.check(operation, x.len(), weight.len())?;
        same(operation, "bias", width, bias.len())?;
        gate.check((operation, "gate"), (rows, width), gate.buffer.len())?;
        let group = width / groups;
        each_row(
            self.isa,
            width,
            &mut x[..rows * width],
            #[inline(always)]
            |row, x| {
                let gate = &gate.buffer[gate.row(row, width)];
                let groups = x.chunks_exact_mut(group).zip(gate.chunks_exact(group));
                let weights = weight.chunks_exact(group).zip(bias.chunks_exact(group));
                for ((x, gate), (w, b)) in groups.zip(weights) {
                    let (mean, scale) = centre_and_scale(x, epsilon as f32);
                    for (((x, &gate), &w), &b) in x.iter_mut().zip(gate).zip(w).zip(b) {
                        *x = ((*x - mean) * scale * w + b) * silu(gate);
                    }
                }
            },
        );
        Ok(())
    }
}

/// Mean of x, and 1 / √(var(x) + ε).
#[inline(always)]
fn centre_and_scale(x: &[f32], epsilon: f32) -> (f32, f32) {
    let sum = sum(
        x,
        #[inline(always)]
        |x| x,
    );
    let mean = sum / x.len() as f32;
    (mean, inverse_rms(x, mean, epsilon))
}

/// 1 / √(mean((x − centre)²) + ε).
#[inline(always)]
fn inverse_rms(x: &[f32], centre: f32, epsilon: f32) -> f32 {
    let squares = sum(
        x,
        #[inline(always)]
        |x| (x - centre) * (x - centre),
    );
    1.0 / (squares / x.len() as f32 + epsilon).sqrt()
}

/// Partial sums: element i belongs to sum i mod this.
const LANES: usize = 32;

/// Σ term(xᵢ).
#[inline(always)]
fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for block in blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum += term(x);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += term(x);
    }
    pairwise(sums)
}
