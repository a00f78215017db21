//! The convolution.

use std::borrow::Borrow;

use longseq_core::backend::Columns;
use longseq_core::batch::Sequences;
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Tensor;
use longseq_core::recurrence::causal_conv1d::{Conv, ConvDims};
use longseq_core::state::StateMut;
use proptest::prelude::*;

use super::{Operation, Recurrent, Stored, noise, output};
use crate::transfer::{Put, Take};

/// Columns beside those that are convolved, before and behind.
const BESIDE: [usize; 2] = [2, 1];

/// A convolution of some columns of rows.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// Its extents.
    pub dims: ConvDims,
    conv: Conv<Stored>,
}

impl Convolution {
    /// With random weights.
    pub fn random(dims: ConvDims, biased: bool, seed: u64) -> Self {
        let ConvDims { channels, width, .. } = dims;
        let bias = biased.then(|| Stored::new(&noise(seed + 1, channels), &[channels]));
        let weight = Stored::new(&noise(seed, channels * width), &[channels, 1, width]);
        Self { dims, conv: Conv { weight, bias } }
    }
}

impl Operation for Convolution {
    type Weights<W> = Conv<W>;

    fn inputs(&self) -> usize {
        self.dims.channels + BESIDE.iter().sum::<usize>()
    }

    fn outputs(&self) -> usize {
        self.dims.channels
    }

    fn state(&self) -> usize {
        self.dims.state_elements()
    }

    fn work(&self) -> usize {
        self.dims.width
    }

    fn turned<B: Recurrent>(&self) -> Option<(usize, usize)> {
        B::CONVOLUTION_TURNED.then_some((self.dims.channels, self.dims.width - 1))
    }

    fn tensors(&self) -> Conv<Tensor<'_>> {
        let Conv { weight, bias } = &self.conv;
        Conv { weight: weight.tensor(), bias: bias.as_ref().map(Stored::tensor) }
    }

    fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> Conv<B::Weight> {
        let (mut take, Conv { weight, bias }) = (backend.take(compute), self.tensors());
        let bias = bias.map(|bias| take.values(&bias).expect("a bias"));
        Conv { weight: take.taps(&weight).expect("taps"), bias }
    }

    fn call<B: Recurrent>(
        &self,
        (backend, out): (&mut B, Put<B>),
        weights: &Conv<B::Weight>,
        sequences: &Sequences<'_>,
        rows: &[B::Scalar],
        state: StateMut<'_, B::Buffer>,
    ) -> Result<Vec<B::Scalar>, B::Error> {
        let rows = backend.put(rows);
        let x = Columns::from(rows.borrow(), self.inputs(), BESIDE[0]);
        output((backend, out), sequences.rows() * self.outputs(), |backend, out| {
            backend.causal_conv1d(&self.dims, sequences, x, weights, state, out)
        })
    }

    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>) {
        let Conv { weight, bias } = &self.conv;
        let bias = bias.as_ref().map(Stored::unsigned);
        let conv = Conv { weight: weight.unsigned(), bias };
        (Self { dims: self.dims, conv }, rows.iter().map(|x| x.abs()).collect())
    }
}

/// Of one to six taps, often of four.
pub fn dims() -> impl Strategy<Value = ConvDims> {
    let channels = prop_oneof![1..10_usize, prop::sample::select(vec![63, 64, 65, 130])];
    let activation = prop::sample::select(vec![
        Activation::Identity,
        Activation::Silu,
        Activation::GeluTanh,
        Activation::Sigmoid,
    ]);
    let width = prop_oneof![1..7_usize, Just(4)];
    (channels, width, activation, any::<bool>()).prop_map(
        |(channels, width, activation, prompt_leaves_outputs)| ConvDims {
            channels,
            width,
            activation,
            prompt_leaves_outputs,
        },
    )
}
