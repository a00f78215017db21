//! The convolution.

use longseq_core::backend::{CausalConv1d, Columns};
use longseq_core::batch::{Batch, Sequences};
use longseq_core::numeric::activation::Activation;
use longseq_core::recurrence::causal_conv1d::{Conv, ConvDims};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::{Cpu, CpuError, isa::Isa, weight::taps};
use proptest::prelude::*;

use super::{
    Bytes, Inputs, Operation, is_near, is_the_same_anyhow, lengths, noise, threads_do_not_matter,
    turn, weight,
};

/// Columns beside those that are convolved, before and behind.
const BESIDE: [usize; 2] = [2, 1];

#[derive(Clone, Debug)]
struct Convolution {
    dims: ConvDims,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    bytes: (Bytes, Option<Bytes>),
}

impl Convolution {
    fn new(dims: ConvDims, weight: Vec<f32>, bias: Option<Vec<f32>>) -> Self {
        let bytes = (Bytes::new(&weight), bias.as_deref().map(Bytes::new));
        Self { dims, weight, bias, bytes }
    }

    fn random(dims: ConvDims, biased: bool, seed: u64) -> Self {
        let bias = biased.then(|| noise(seed + 1, dims.channels));
        Self::new(dims, noise(seed, dims.channels * dims.width), bias)
    }
}

impl Operation for Convolution {
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

    fn cpu(
        &self,
        cpu: &mut Cpu,
        sequences: &Sequences<'_>,
        rows: &[f32],
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result<(), CpuError> {
        let bias = self.bias.as_deref().map(weight);
        let conv = Conv { weight: weight(&taps(&self.weight, self.dims.width)), bias };
        let x = Columns::from(rows, self.inputs(), BESIDE[0]);
        let (mut state, ConvDims { channels, width, .. }) = (state, self.dims);
        turn(sequences, &mut state, channels, width - 1);
        let StateMut { buffer, region } = state;
        let state = StateMut { buffer: &mut *buffer, region };
        cpu.causal_conv1d(&self.dims, sequences, x, &conv, state, out)?;
        turn(sequences, &mut StateMut { buffer, region }, width - 1, channels);
        Ok(())
    }

    fn reference<'a>(
        &'a self,
        reference: &mut Reference<'a, f64>,
        sequences: &Sequences<'_>,
        rows: &[f64],
        state: StateMut<'_, [f64]>,
        out: &mut [f64],
    ) {
        let bias = self.bytes.1.as_ref().map(Bytes::tensor);
        let conv = Conv { weight: self.bytes.0.tensor(), bias };
        let x = Columns::from(rows, self.inputs(), BESIDE[0]);
        reference.causal_conv1d(&self.dims, sequences, x, &conv, state, out).unwrap();
    }

    fn unsigned(&self, rows: &[f64]) -> (Self, Vec<f64>) {
        let absolute = |values: &Vec<f32>| values.iter().map(|x| x.abs()).collect::<Vec<_>>();
        let bias = self.bias.as_ref().map(absolute);
        let rows = rows.iter().map(|x| x.abs()).collect();
        (Self::new(self.dims, absolute(&self.weight), bias), rows)
    }
}

fn dims() -> impl Strategy<Value = ConvDims> {
    let channels = prop_oneof![1..10_usize, prop::sample::select(vec![63, 64, 65, 130])];
    let activation = prop::sample::select(vec![
        Activation::Identity,
        Activation::Silu,
        Activation::GeluTanh,
        Activation::Sigmoid,
    ]);
    (channels, 1..7_usize, activation, any::<bool>()).prop_map(
        |(channels, width, activation, prompt_leaves_outputs)| ConvDims {
            channels,
            width,
            activation,
            prompt_leaves_outputs,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn is_the_sum(dims in dims(), biased: bool, lengths in lengths(), seed in any::<u32>()) {
        let convolution = Convolution::random(dims, biased, u64::from(seed));
        is_near(&convolution, &Inputs::new(&convolution, &lengths, u64::from(seed) + 9), 1e-6)?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        biased: bool,
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        // With the fault a prompt must not be cut.
        let dims = ConvDims { prompt_leaves_outputs: false, ..dims };
        let convolution = Convolution::random(dims, biased, u64::from(seed));
        is_the_same_anyhow(&convolution, &Inputs::new(&convolution, &lengths, u64::from(seed)))?;
    }
}

#[test]
fn threads_change_nothing() {
    let activation = Activation::Silu;
    for prompt_leaves_outputs in [false, true] {
        let dims = ConvDims { channels: 1000, width: 4, activation, prompt_leaves_outputs };
        let convolution = Convolution::random(dims, true, 3);
        for lengths in [vec![150], vec![70, 1, 40], vec![1; 70]] {
            threads_do_not_matter(&convolution, &Inputs::new(&convolution, &lengths, 5));
        }
    }
}

#[test]
fn shapes_are_checked() {
    let activation = Activation::Silu;
    let dims = ConvDims { channels: 3, width: 4, activation, prompt_leaves_outputs: false };
    let call = |dims: &ConvDims, of: [usize; 5], offset: usize, elements: usize| {
        let [x, taps, bias, state, out] = of.map(|n| vec![0.0; n]);
        let (mut state, mut out) = (state, out);
        let batch = Batch::new(&[0, 0], &[0, 1, 2], &[0, 1], &[]).unwrap();
        let conv = Conv { weight: weight(&taps), bias: Some(weight(&bias)) };
        let region = Region { offset: 0, stride: elements, elements };
        let state = StateMut { buffer: &mut state[..], region };
        let x = Columns::from(&x[..], 4, offset);
        let mut cpu = Cpu::new(Isa::best());
        cpu.causal_conv1d(dims, &batch.sequences(&[0, 0]), x, &conv, state, &mut out)
    };
    assert_eq!(call(&dims, [8, 12, 3, 18, 6], 1, 9), Ok(()));
    for of in [
        [7, 12, 3, 18, 6],
        [8, 11, 3, 18, 6],
        [8, 12, 2, 18, 6],
        [8, 12, 3, 17, 6],
        [8, 12, 3, 18, 5],
    ] {
        assert!(call(&dims, of, 1, 9).is_err(), "{of:?}");
    }
    let of = [8, 12, 3, 18, 6];
    assert!(call(&dims, of, 2, 9).is_err());
    assert!(call(&dims, of, 1, 8).is_err());
    assert!(call(&ConvDims { width: 0, ..dims }, of, 1, 9).is_err());
    assert!(call(&ConvDims { channels: usize::MAX, ..dims }, of, 1, 9).is_err());
}
