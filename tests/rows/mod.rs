//! The operations on rows, as every backend's tests run them.

mod case;
mod operation;
pub mod refusals;

pub use case::{Case, case, case_of};
pub use operation::{Operation, run, run_to, wide_width};

use half::{bf16, f16};
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::low_rank::LowRank;
use longseq_core::numeric::tensor::{Dtype, Tensor};

use crate::transfer::Take;

/// Columns between the two matrices of the low-rank map.
pub const RANK: usize = 5;

/// The little-endian f32 of some values.
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Some values as a file of that type holds them.
pub fn stored(dtype: Dtype, values: &[f32]) -> Vec<u8> {
    let of = |&x: &f32| match dtype {
        Dtype::F32 => x.to_le_bytes().to_vec(),
        Dtype::Bf16 => bf16::from_f32(x).to_le_bytes().to_vec(),
        Dtype::F16 => f16::from_f32(x).to_le_bytes().to_vec(),
    };
    values.iter().flat_map(of).collect()
}

/// A matrix of these bytes with as many columns.
pub fn tensor(bytes: &[u8], columns: usize) -> Tensor<'_> {
    Tensor::new(Dtype::F32, &[bytes.len() / 4 / columns, columns], bytes).expect("a tensor")
}

/// Exactly.
pub fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x.into()).collect()
}

/// To be compared exactly.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// What the operations of `width` channels read.
pub struct Weights<W> {
    /// Channels.
    pub width: usize,
    /// Of the norms.
    pub weight: W,
    /// Of the norms.
    pub bias: W,
    /// Of the map.
    pub low_rank: LowRank<W>,
}

impl<'a> Weights<Tensor<'a>> {
    /// How many values [`Self::new`] takes.
    pub const fn elements(width: usize) -> usize {
        (2 + 2 * RANK) * width
    }

    /// Cut out of the bytes of that many.
    pub fn new(width: usize, bytes: &'a [u8]) -> Self {
        let (weight, rest) = bytes.split_at(4 * width);
        let (bias, rest) = rest.split_at(4 * width);
        let (down, up) = rest.split_at(4 * RANK * width);
        let bias = tensor(bias, width);
        let low_rank = LowRank { down: tensor(down, RANK), up: tensor(up, width), bias };
        Self { width, weight: tensor(weight, width), bias, low_rank }
    }

    /// As a backend holds them.
    pub fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> Weights<B::Weight> {
        let mut take = backend.take(compute);
        let low_rank = LowRank {
            down: take.matrices(&self.low_rank.down, 1).unwrap(),
            up: take.matrices(&self.low_rank.up, 1).unwrap(),
            bias: take.values(&self.low_rank.bias).unwrap(),
        };
        let (weight, bias) = (take.values(&self.weight).unwrap(), take.values(&self.bias).unwrap());
        Weights { width: self.width, weight, bias, low_rank }
    }
}
