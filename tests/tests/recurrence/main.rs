//! Operations with a carried state.

mod causal_conv1d;
mod rg_lru;
mod ssd;
mod state_space;
mod token_shift;
mod wkv6;

use longseq_core::numeric::Real;
use longseq_core::numeric::tensor::{Dtype, Tensor};

/// The little-endian f32 of some values, for [`tensor`].
fn bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect()
}

/// A weight of these bytes.
fn tensor(bytes: &[u8]) -> Tensor<'_> {
    Tensor::new(Dtype::F32, &[bytes.len() / 4], bytes).expect("a tensor")
}

/// Values that an f32 weight holds exactly.
fn stored(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|x| f64::from(x as f32)).collect()
}

fn cast<R: Real>(values: &[f64]) -> Vec<R> {
    values.iter().map(|&x| R::from_f64(x)).collect()
}

fn widen<R: Real>(values: &[R]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}

/// The bits of some values.
fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}
