//! The CPU backend's products against the reference, on every instruction set of this machine.

mod bf16;
mod linear;

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
