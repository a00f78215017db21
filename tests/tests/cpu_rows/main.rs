//! The CPU backend's operations on rows, on every instruction set of this machine.

mod embedding;
mod laws;
mod math;
mod operation;
mod reference;
mod refusals;
mod state;

use longseq_core::numeric::low_rank::LowRank;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_cpu::weight::{Compute, Pack, Weight};

/// Columns between the two matrices of the low-rank map.
const RANK: usize = 5;

/// The little-endian f32 of some values.
fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A matrix of these bytes with as many columns.
fn tensor(bytes: &[u8], columns: usize) -> Tensor<'_> {
    Tensor::new(Dtype::F32, &[bytes.len() / 4 / columns, columns], bytes).expect("a tensor")
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x.into()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// What the operations of `width` channels read.
struct Weights<W> {
    width: usize,
    weight: W,
    bias: W,
    low_rank: LowRank<W>,
}

impl<'a> Weights<Tensor<'a>> {
    /// How many values [`Self::new`] takes.
    const fn elements(width: usize) -> usize {
        (2 + 2 * RANK) * width
    }

    fn new(width: usize, bytes: &'a [u8]) -> Self {
        let (weight, rest) = bytes.split_at(4 * width);
        let (bias, rest) = rest.split_at(4 * width);
        let (down, up) = rest.split_at(4 * RANK * width);
        let bias = tensor(bias, width);
        let low_rank = LowRank { down: tensor(down, RANK), up: tensor(up, width), bias };
        Self { width, weight: tensor(weight, width), bias, low_rank }
    }

    fn packed(&self, compute: Compute) -> Weights<Weight> {
        use longseq_core::hybrid::map::MapWeights;
        let mut pack = Pack::new(compute);
        let low_rank = LowRank {
            down: pack.matrices(&self.low_rank.down, 1).unwrap(),
            up: pack.matrices(&self.low_rank.up, 1).unwrap(),
            bias: pack.values(&self.low_rank.bias).unwrap(),
        };
        let (weight, bias) = (pack.values(&self.weight).unwrap(), pack.values(&self.bias).unwrap());
        Weights { width: self.width, weight, bias, low_rank }
    }
}
