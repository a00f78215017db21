//! The scan of RWKV-6.

use std::borrow::Borrow;

use longseq_core::backend::{Columns, Wkv6Inputs};
use longseq_core::batch::Sequences;
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Tensor;
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_core::state::StateMut;
use proptest::prelude::*;

use super::{Operation, Recurrent, Stored, noise, output};
use crate::transfer::{Put, Take};

/// A scan of rows of r, k, v and d side by side.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Its extents.
    pub dims: Wkv6Dims,
    bonus: Stored,
}

impl Scan {
    /// With a random bonus.
    pub fn random(dims: Wkv6Dims, seed: u64) -> Self {
        let bonus = Stored::new(&noise(seed, dims.width()), &[dims.heads, dims.head_dim]);
        Self { dims, bonus }
    }
}

impl Operation for Scan {
    type Weights<W> = W;

    fn inputs(&self) -> usize {
        4 * self.dims.width()
    }

    fn outputs(&self) -> usize {
        self.dims.width()
    }

    fn state(&self) -> usize {
        self.dims.state_elements()
    }

    fn work(&self) -> usize {
        self.dims.width()
    }

    fn tensors(&self) -> Tensor<'_> {
        self.bonus.tensor()
    }

    fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> B::Weight {
        backend.take(compute).values(&self.tensors()).expect("a bonus")
    }

    fn call<B: Recurrent>(
        &self,
        (backend, out): (&mut B, Put<B>),
        weights: &B::Weight,
        sequences: &Sequences<'_>,
        rows: &[B::Scalar],
        state: StateMut<'_, B::Buffer>,
    ) -> Result<Vec<B::Scalar>, B::Error> {
        let rows = backend.put(rows);
        let of = |place| Columns::from(rows.borrow(), self.inputs(), place * self.dims.width());
        let inputs = Wkv6Inputs { receptance: of(0), key: of(1), value: of(2), decay: of(3) };
        output((backend, out), sequences.rows() * self.outputs(), |backend, out| {
            backend.wkv6_scan(&self.dims, sequences, inputs, weights, state, out)
        })
    }

    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>) {
        let (width, stride) = (3 * self.dims.width(), self.inputs());
        let sign = |(i, x): (usize, &f32)| if i % stride < width { x.abs() } else { *x };
        let rows = rows.iter().enumerate().map(sign).collect();
        (Self { dims: self.dims, bonus: self.bonus.unsigned() }, rows)
    }
}

/// Odd sizes, and those of models.
pub fn dims() -> impl Strategy<Value = Wkv6Dims> {
    let head_dim = prop_oneof![1..10_usize, prop::sample::select(vec![16, 31, 32, 40, 64])];
    (1..5_usize, head_dim).prop_map(|(heads, head_dim)| Wkv6Dims { heads, head_dim })
}
