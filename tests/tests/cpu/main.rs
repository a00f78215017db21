//! The CPU backend against the reference, on every instruction set of this machine.

mod linear;
mod math;
mod rows;

use longseq_core::numeric::tensor::{Dtype, Tensor};

/// Little-endian f32, for a stored tensor.
fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn tensor<'a>(bytes: &'a [u8], shape: &[usize]) -> Tensor<'a> {
    Tensor::new(Dtype::F32, shape, bytes).expect("a tensor")
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x.into()).collect()
}

/// Root mean square of the difference over that of what is expected.
fn relative_rms(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |sum: f64, x: f64| sum + x * x;
    let error = found.iter().zip(expected).map(|(&a, b)| f64::from(a) - b).fold(0.0, square);
    let size = expected.iter().copied().fold(0.0, square);
    if error == 0.0 { 0.0 } else { (error / size).sqrt() }
}
