//! Token shift, with fixed proportions and with those that depend on the data.

use std::borrow::Borrow;

use longseq_core::batch::Sequences;
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Tensor;
use longseq_core::recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS};
use longseq_core::state::StateMut;
use proptest::prelude::*;

use super::{Operation, Recurrent, Stored, noise, output};
use crate::transfer::{Put, Take};

/// Proportions between 0 and 1.
fn shares(seed: u64, n: usize) -> Stored {
    let values: Vec<f32> = noise(seed, n).iter().map(|x| x.abs().fract()).collect();
    Stored::new(&values, &[n])
}

/// Streams with fixed proportions.
#[derive(Clone, Debug)]
pub struct Fixed {
    channels: usize,
    proportions: Vec<Stored>,
}

impl Fixed {
    /// So many, with random proportions.
    pub fn random(channels: usize, streams: usize, seed: u64) -> Self {
        let proportions = (0..streams).map(|i| shares(seed + i as u64, channels)).collect();
        Self { channels, proportions }
    }
}

impl Operation for Fixed {
    type Weights<W> = Vec<W>;

    fn inputs(&self) -> usize {
        self.channels
    }

    fn outputs(&self) -> usize {
        self.channels * self.proportions.len()
    }

    fn state(&self) -> usize {
        self.channels
    }

    fn work(&self) -> usize {
        self.channels
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        self.proportions.iter().map(Stored::tensor).collect()
    }

    fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> Vec<B::Weight> {
        let (mut take, tensors) = (backend.take(compute), self.tensors());
        tensors.iter().map(|mu| take.values(mu).expect("proportions")).collect()
    }

    fn call<B: Recurrent>(
        &self,
        (backend, out): (&mut B, Put<B>),
        weights: &Vec<B::Weight>,
        sequences: &Sequences<'_>,
        rows: &[B::Scalar],
        state: StateMut<'_, B::Buffer>,
    ) -> Result<Vec<B::Scalar>, B::Error> {
        let x = backend.put(rows);
        output((backend, out), sequences.rows() * self.outputs(), |backend, out| {
            backend.token_shift(self.channels, sequences, x.borrow(), weights, state, out)
        })
    }

    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>) {
        (self.clone(), rows.iter().map(|x| x.abs()).collect())
    }
}

/// Five streams with proportions that depend on the data.
#[derive(Clone, Debug)]
pub struct Dependent {
    dims: DdLerpDims,
    weights: DdLerp<Stored>,
}

impl Dependent {
    /// With random weights.
    pub fn random(dims: DdLerpDims, seed: u64) -> Self {
        let DdLerpDims { channels, rank } = dims;
        let scaled = |seed, shape: &[usize], by: usize| {
            let values = noise(seed, shape.iter().product());
            let values = values.iter().map(|x| x / (by as f32).sqrt()).collect::<Vec<_>>();
            Stored::new(&values, shape)
        };
        let weights = DdLerp {
            mixed: shares(seed, channels),
            streams: std::array::from_fn(|i| shares(seed + 1 + i as u64, channels)),
            down: scaled(seed + 6, &[channels, STREAMS * rank], channels),
            up: scaled(seed + 7, &[STREAMS, rank, channels], rank),
        };
        Self { dims, weights }
    }
}

impl Operation for Dependent {
    type Weights<W> = DdLerp<W>;

    fn inputs(&self) -> usize {
        self.dims.channels
    }

    fn outputs(&self) -> usize {
        STREAMS * self.dims.channels
    }

    fn state(&self) -> usize {
        self.dims.channels
    }

    fn work(&self) -> usize {
        self.dims.work_elements()
    }

    fn tensors(&self) -> DdLerp<Tensor<'_>> {
        let DdLerp { mixed, streams, down, up } = &self.weights;
        DdLerp {
            mixed: mixed.tensor(),
            streams: streams.each_ref().map(Stored::tensor),
            down: down.tensor(),
            up: up.tensor(),
        }
    }

    fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> DdLerp<B::Weight> {
        let (mut take, of) = (backend.take(compute), self.tensors());
        DdLerp {
            mixed: take.values(&of.mixed).expect("proportions"),
            streams: of.streams.each_ref().map(|mu| take.values(mu).expect("proportions")),
            down: take.matrices(&of.down, 1).expect("a matrix"),
            up: take.matrices(&of.up, STREAMS).expect("matrices"),
        }
    }

    fn call<B: Recurrent>(
        &self,
        (backend, out): (&mut B, Put<B>),
        weights: &DdLerp<B::Weight>,
        sequences: &Sequences<'_>,
        rows: &[B::Scalar],
        state: StateMut<'_, B::Buffer>,
    ) -> Result<Vec<B::Scalar>, B::Error> {
        let x = backend.put(rows);
        output((backend, out), sequences.rows() * self.outputs(), |backend, out| {
            backend.ddlerp(&self.dims, sequences, x.borrow(), weights, state, out)
        })
    }

    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>) {
        (self.clone(), rows.to_vec())
    }
}

/// Odd sizes of those that depend on the data.
pub fn dims() -> impl Strategy<Value = DdLerpDims> {
    let channels = prop::sample::select(vec![8, 31, 64, 65]);
    (channels, 1..9_usize).prop_map(|(channels, rank)| DdLerpDims { channels, rank })
}
