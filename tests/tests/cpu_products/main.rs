//! The CPU backend's products against the reference, on every instruction set of this machine.

mod bf16;
mod linear;

use longseq_core::numeric::tensor::{Dtype, Tensor};

fn tensor<'a>(bytes: &'a [u8], shape: &[usize]) -> Tensor<'a> {
    Tensor::new(Dtype::F32, shape, bytes).expect("a tensor")
}
