//! The scan of Mamba-2.

use std::borrow::Borrow;

use longseq_core::backend::Columns;
use longseq_core::batch::Sequences;
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Tensor;
use longseq_core::recurrence::ssd::{SsdDims, SsdHeads};
use longseq_core::state::StateMut;
use proptest::prelude::*;

use super::{Operation, Recurrent, Stored, noise, output};
use crate::transfer::{Put, Take};

/// A scan of rows of xBC and dt side by side.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Its extents.
    pub dims: SsdDims,
    heads: SsdHeads<Stored>,
}

impl Scan {
    /// With steps from negligible to forgetting everything at once.
    pub fn random(dims: SsdDims, seed: u64) -> Self {
        let bias: Vec<f32> = noise(seed, dims.heads).iter().map(|x| 3.0 * x - 2.0).collect();
        let stored = |values: &[f32]| Stored::new(values, &[dims.heads]);
        let heads = SsdHeads {
            dt_bias: stored(&bias),
            a_log: stored(&noise(seed + 1, dims.heads)),
            d: stored(&noise(seed + 2, dims.heads)),
        };
        Self { dims, heads }
    }
}

impl Operation for Scan {
    type Weights<W> = SsdHeads<W>;

    fn inputs(&self) -> usize {
        self.dims.xbc_width() + self.dims.heads
    }

    fn outputs(&self) -> usize {
        self.dims.inner()
    }

    fn state(&self) -> usize {
        self.dims.state_elements()
    }

    fn work(&self) -> usize {
        4 * self.dims.heads
    }

    fn turned<B: Recurrent>(&self) -> Option<(usize, usize)> {
        B::SSD_TURNED.then_some((self.dims.head_dim, self.dims.state))
    }

    fn tensors(&self) -> SsdHeads<Tensor<'_>> {
        let SsdHeads { dt_bias, a_log, d } = &self.heads;
        SsdHeads { dt_bias: dt_bias.tensor(), a_log: a_log.tensor(), d: d.tensor() }
    }

    fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> SsdHeads<B::Weight> {
        let (mut take, SsdHeads { dt_bias, a_log, d }) = (backend.take(compute), self.tensors());
        SsdHeads {
            dt_bias: take.values(&dt_bias).expect("a bias"),
            a_log: take.values(&a_log).expect("decays"),
            d: take.values(&d).expect("skips"),
        }
    }

    fn call<B: Recurrent>(
        &self,
        (backend, out): (&mut B, Put<B>),
        weights: &SsdHeads<B::Weight>,
        sequences: &Sequences<'_>,
        rows: &[B::Scalar],
        state: StateMut<'_, B::Buffer>,
    ) -> Result<Vec<B::Scalar>, B::Error> {
        let (width, stride) = (self.dims.xbc_width(), self.inputs());
        let xbc: Vec<_> = rows.chunks(stride).flat_map(|row| &row[..width]).copied().collect();
        let (xbc, rows) = (backend.put(&xbc), backend.put(rows));
        let inputs = (xbc.borrow(), Columns::from(rows.borrow(), stride, width));
        output((backend, out), sequences.rows() * self.outputs(), |backend, out| {
            backend.ssd_scan(&self.dims, sequences, inputs, weights, state, out)
        })
    }

    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>) {
        let heads = SsdHeads { d: self.heads.d.unsigned(), ..self.heads.clone() };
        let (width, stride) = (self.dims.xbc_width(), self.inputs());
        let sign = |(i, x): (usize, &f32)| if i % stride < width { x.abs() } else { *x };
        (Self { dims: self.dims, heads }, rows.iter().enumerate().map(sign).collect())
    }
}

/// Odd sizes.
pub fn dims() -> impl Strategy<Value = SsdDims> {
    let head_dim = prop_oneof![1..10_usize, prop::sample::select(vec![16, 31, 32, 40, 64])];
    let state = prop_oneof![1..10_usize, prop::sample::select(vec![16, 33, 64])];
    (1..4_usize, 1..3_usize, head_dim, state).prop_map(|(per_group, groups, head_dim, state)| {
        SsdDims { heads: per_group * groups, head_dim, state, groups }
    })
}

/// Sizes of which chunks are made, and lengths that have some.
pub fn chunked(sizes: &[(usize, usize)]) -> impl Strategy<Value = (SsdDims, Vec<usize>)> + use<> {
    let sizes = prop::sample::select(sizes.to_vec());
    let dims =
        (1..4_usize, 1..3_usize, sizes).prop_map(|(per_group, groups, (head_dim, state))| {
            SsdDims { heads: per_group * groups, head_dim, state, groups }
        });
    let length = prop_oneof![1..70_usize, prop::sample::select(vec![64, 128, 129, 200])];
    (dims, prop::collection::vec(length, 1..4))
}
