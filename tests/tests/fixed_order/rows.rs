//! Operations on rows.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use longseq_embedded::ops::{
    self, EPSILON, GROUPS, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, LayerNorm, RmsNorm,
    RmsNormOnePlus, SoftCap, Softmax, Softplus, SquaredRelu, TOKENS,
};

use super::arithmetic::{ALL, Arithmetic, Flip, bf16, f16, f32s, silu, softplus};
use super::check;

#[test]
fn linear() {
    check::<ops::Linear>(
        |of, how| {
            let (w, b) = (bf16(&of.weight), f16(&of.bias));
            let (inputs, outputs) = (w.len() / b.len(), b.len());
            let y = of.y.iter().enumerate().map(|(at, &y)| {
                let (x, w) = (&of.x[at / outputs * inputs..], &w[at % outputs * inputs..]);
                how.keep(y + (how.dot(&x[..inputs], &w[..inputs]) + b[at % outputs]))
            });
            y.collect()
        },
        &ALL,
    );
}

/// first + x W, W \[in, out\], each output's sum by itself.
pub fn vector_matrix(x: &[f32], w: &[f32], first: &[f32], how: Arithmetic) -> Vec<f32> {
    let outputs = first.len();
    let column = |(o, &first): (usize, &f32)| {
        let products: Vec<_> =
            x.iter().enumerate().map(|(i, &x)| (x, w[i * outputs + o])).collect();
        how.sum(first, &products)
    };
    first.iter().enumerate().map(column).collect()
}

#[test]
fn low_rank() {
    check::<ops::LowRank>(
        |of, how| {
            let (down, up, bias) = (bf16(&of.down), bf16(&of.up), bf16(&of.bias));
            let rank = up.len() / bias.len();
            let row = |x: &[f32]| {
                let middle = vector_matrix(x, &down, &vec![0.0; rank], how);
                let middle: Vec<_> = middle.into_iter().map(libm::tanhf).collect();
                let y = vector_matrix(&middle, &up, &bias, how);
                y.into_iter().map(|y| how.keep(y)).collect::<Vec<_>>()
            };
            of.x.chunks(of.x.len() / TOKENS).flat_map(row).collect()
        },
        &ALL,
    );
}

fn inverse_rms(x: &[f32], how: Arithmetic) -> f32 {
    1.0 / libm::sqrtf(how.dot(x, x) / x.len() as f32 + EPSILON as f32)
}

fn rms_row(x: &[f32], w: &[f32], how: Arithmetic) -> Vec<f32> {
    let scale = inverse_rms(x, how);
    x.iter().zip(w).map(|(&x, &w)| how.keep(x * scale * w)).collect()
}

fn layer_row(x: &[f32], w: &[f32], b: &[f32], how: Arithmetic) -> Vec<f32> {
    let mean = how.total(x) / x.len() as f32;
    let centred: Vec<_> = x.iter().map(|x| x - mean).collect();
    let scale = inverse_rms(&centred, how);
    let row = centred.iter().zip(w).zip(b);
    row.map(|((&x, &w), &b)| how.keep(how.add(b, x * scale, w))).collect()
}

/// Each row of a norm's inputs with its gate.
fn norm(of: &ops::Rows, row: impl Fn(&[f32], &[f32]) -> Vec<f32>) -> Vec<f32> {
    let width = of.x.len() / TOKENS;
    of.x.chunks(width).zip(of.gate.chunks(width)).flat_map(|(x, gate)| row(x, gate)).collect()
}

const ROUNDED: [Flip; 3] = [Flip::Contracted, Flip::Reassociated, Flip::Narrowed];

#[test]
fn rms_norm() {
    let again = |of: &ops::Rows, one: f32, how| {
        let w: Vec<_> = bf16(&of.weight).into_iter().map(|w| w + one).collect();
        norm(of, |x, _| rms_row(x, &w, how))
    };
    check::<RmsNorm>(|of, how| again(&of.0, 0.0, how), &ROUNDED);
    check::<RmsNormOnePlus>(|of, how| again(&of.0, 1.0, how), &ROUNDED);
}

#[test]
fn gated_rms_norm() {
    check::<GatedRmsNorm>(
        |of, how| {
            let w = bf16(&of.0.weight);
            norm(&of.0, |x, z| {
                let gated: Vec<_> = x.iter().zip(z).map(|(&x, &z)| x * silu(z)).collect();
                let size = w.len() / GROUPS;
                let groups = gated.chunks(size).zip(w.chunks(size));
                groups.flat_map(|(x, w)| rms_row(x, w, how)).collect()
            })
        },
        &ALL,
    );
}

#[test]
fn layer_norm() {
    check::<LayerNorm>(
        |of, how| {
            let (w, b) = (bf16(&of.0.weight), f32s(&of.0.bias));
            norm(&of.0, |x, _| layer_row(x, &w, &b, how))
        },
        &ALL,
    );
}

#[test]
fn gated_group_norm() {
    check::<GatedGroupNorm>(
        |of, how| {
            let (w, b) = (bf16(&of.0.weight), f32s(&of.0.bias));
            let size = w.len() / GROUPS;
            norm(&of.0, |x, gate| {
                let groups = x.chunks(size).zip(w.chunks(size).zip(b.chunks(size)));
                let normed = groups.flat_map(|(x, (w, b))| layer_row(x, w, b, how));
                normed.zip(gate).map(|(x, &gate)| how.keep(x * silu(gate))).collect()
            })
        },
        &ALL,
    );
}

fn gelu(x: f32, how: Arithmetic) -> f32 {
    let scale = (FRAC_2_SQRT_PI * FRAC_1_SQRT_2) as f32;
    0.5 * x * (1.0 + libm::tanhf(scale * how.add(x, 0.044_715_f64 as f32 * x * x, x)))
}

#[test]
fn pointwise() {
    check::<GatedLinearUnit>(
        |of, how| {
            let rows = of.y.iter().zip(of.up.iter().zip(&of.gate));
            rows.map(|(&y, (&up, &gate))| {
                let y = how.add(y, up, gelu(gate, how));
                how.keep(how.add(y, up, silu(gate)))
            })
            .collect()
        },
        &[Flip::Contracted, Flip::Narrowed],
    );
    check::<SquaredRelu>(
        |of, how| of.x.iter().map(|x| x.max(0.0)).map(|x| how.keep(x * x)).collect(),
        &[Flip::Narrowed],
    );
    let cap = SoftCap::CAP as f32;
    check::<SoftCap>(
        |of, how| {
            let wide = |x: f32| (f64::from(cap) * libm::tanh(f64::from(x) / f64::from(cap))) as f32;
            let stated = |x: f32| how.keep(cap * libm::tanhf(x / cap));
            let apply = |&x: &f32| if how.0 == Some(Flip::Widened) { wide(x) } else { stated(x) };
            of.x.iter().map(apply).collect()
        },
        &[Flip::Widened, Flip::Narrowed],
    );
    check::<Softplus>(
        |of, how| {
            let wide = |x: f32| libm::log1p(libm::exp(f64::from(x))) as f32;
            let apply =
                |x: f32| how.keep(if how.0 == Some(Flip::Widened) { wide(x) } else { softplus(x) });
            let four = of.x.iter().map(|x| 4.0 * x);
            of.x.iter().copied().chain(four).map(apply).collect()
        },
        &[Flip::Widened, Flip::Narrowed],
    );
}

/// e^(x − max) / Σ, the sum from the first to the last.
pub fn softmax_row(x: &[f32], how: Arithmetic) -> Vec<f32> {
    let most = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<_> = x.iter().map(|x| libm::expf(x - most)).collect();
    let sum = how.total(&powers);
    powers.iter().map(|x| how.keep(x / sum)).collect()
}

#[test]
fn softmax() {
    check::<Softmax>(
        |of, how| of.x.chunks(Softmax::WIDTH).flat_map(|row| softmax_row(row, how)).collect(),
        &[Flip::Reassociated, Flip::Widened, Flip::Narrowed],
    );
}
