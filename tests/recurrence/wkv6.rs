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

use super::{Inputs, Operation, Recurrent, Stored, noise, output};
use crate::transfer::{Put, Take};

/// A scan of rows of r, k, v and d side by side.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Its extents.
    pub dims: Wkv6Dims,
    bonus: Stored,
    /// Columns before them that are not its, so that rows lie anywhere in memory.
    before: usize,
}

impl Scan {
    /// With a random bonus.
    pub fn random(dims: Wkv6Dims, seed: u64) -> Self {
        let bonus = Stored::new(&noise(seed, dims.width()), &[dims.heads, dims.head_dim]);
        Self { dims, bonus, before: (seed % 5) as usize }
    }

    /// Gives every key channel of `inputs` a decay of its own kind, from forgetting at once to forgetting nothing, and
    /// some another from token to token.
    pub fn with_extreme_decays(&self, inputs: &mut Inputs) {
        const KINDS: [f32; 7] = [200.0, 30.0, 3.0, 0.0, -6.0, -30.0, f32::NEG_INFINITY];
        let first = self.before + 3 * self.dims.width();
        for rows in &mut inputs.rows {
            for (token, row) in rows.chunks_exact_mut(self.inputs()).enumerate() {
                for (channel, d) in row[first..].iter_mut().enumerate() {
                    let changes = if channel % 3 == 0 { token / (channel % 4 + 1) } else { 0 };
                    *d += KINDS[(channel + changes) % KINDS.len()];
                }
            }
        }
    }
}

impl Operation for Scan {
    type Weights<W> = W;

    fn inputs(&self) -> usize {
        self.before + 4 * self.dims.width()
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
        let of = |place| {
            Columns::from(rows.borrow(), self.inputs(), self.before + place * self.dims.width())
        };
        let inputs = Wkv6Inputs { receptance: of(0), key: of(1), value: of(2), decay: of(3) };
        output((backend, out), sequences.rows() * self.outputs(), |backend, out| {
            backend.wkv6_scan(&self.dims, sequences, inputs, weights, state, out)
        })
    }

    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>) {
        let (decays, stride) = (self.before + 3 * self.dims.width(), self.inputs());
        let sign = |(i, x): (usize, &f32)| if i % stride < decays { x.abs() } else { *x };
        let rows = rows.iter().enumerate().map(sign).collect();
        (Self { bonus: self.bonus.unsigned(), ..self.clone() }, rows)
    }
}

/// Odd sizes, and those of models.
pub fn dims() -> impl Strategy<Value = Wkv6Dims> {
    let head_dim = prop_oneof![1..10_usize, prop::sample::select(vec![16, 31, 32, 40, 64])];
    (1..5_usize, head_dim).prop_map(|(heads, head_dim)| Wkv6Dims { heads, head_dim })
}
