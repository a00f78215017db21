//! Token shift, with fixed proportions and with those that depend on the data.

use longseq_core::backend::TokenShift;
use longseq_core::batch::{Batch, Sequences};
use longseq_core::recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::gemm::Stored;
use longseq_cpu::{Cpu, CpuError, isa::Isa, weight::Weight};
use proptest::prelude::*;

use super::{
    Bytes, Inputs, Operation, bound, is_near, is_the_same_anyhow, lengths, matrices, noise, stored,
    threads_do_not_matter, weight,
};

/// Proportions between 0 and 1.
fn shares(seed: u64, n: usize) -> Vec<f32> {
    noise(seed, n).iter().map(|x| x.abs().fract()).collect()
}

#[derive(Clone, Debug)]
struct Fixed {
    channels: usize,
    proportions: Vec<Vec<f32>>,
    bytes: Vec<Bytes>,
}

impl Fixed {
    fn random(channels: usize, streams: usize, seed: u64) -> Self {
        let mus = (0..streams).map(|i| shares(seed + i as u64, channels));
        let proportions: Vec<Vec<f32>> = mus.collect();
        let bytes = proportions.iter().map(|mu| Bytes::new(mu)).collect();
        Self { channels, proportions, bytes }
    }
}

impl Operation for Fixed {
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

    fn cpu(
        &self,
        cpu: &mut Cpu,
        sequences: &Sequences<'_>,
        rows: &[f32],
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result<(), CpuError> {
        let proportions: Vec<Weight> = self.proportions.iter().map(|mu| weight(mu)).collect();
        cpu.token_shift(self.channels, sequences, rows, &proportions, state, out)
    }

    fn reference<'a>(
        &'a self,
        reference: &mut Reference<'a, f64>,
        sequences: &Sequences<'_>,
        rows: &[f64],
        state: StateMut<'_, [f64]>,
        out: &mut [f64],
    ) {
        let mus: Vec<_> = self.bytes.iter().map(Bytes::tensor).collect();
        reference.token_shift(self.channels, sequences, rows, &mus, state, out).unwrap();
    }

    fn unsigned(&self, rows: &[f64]) -> (Self, Vec<f64>) {
        (self.clone(), rows.iter().map(|x| x.abs()).collect())
    }
}

/// Weights: μₓ, the five μᶜ, W₁, W₂.
#[derive(Clone, Debug)]
struct Dependent {
    dims: DdLerpDims,
    stored: Stored,
    weights: [Vec<f32>; 8],
    bytes: [Bytes; 8],
}

impl Dependent {
    fn random(dims: DdLerpDims, stored: Stored, seed: u64) -> Self {
        let low_rank = dims.channels * dims.rank * STREAMS;
        let scaled = |values: Vec<f32>, by: usize| {
            values.iter().map(|x| x / (by as f32).sqrt()).collect::<Vec<_>>()
        };
        let weights = std::array::from_fn(|i| match i {
            6 => scaled(noise(seed + 6, low_rank), dims.channels),
            7 => scaled(noise(seed + 7, low_rank), dims.rank),
            _ => shares(seed + i as u64, dims.channels),
        });
        let bytes = weights.each_ref().map(|values: &Vec<f32>| Bytes::new(values));
        Self { dims, stored, weights, bytes }
    }
}

impl Operation for Dependent {
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

    fn cpu(
        &self,
        cpu: &mut Cpu,
        sequences: &Sequences<'_>,
        rows: &[f32],
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result<(), CpuError> {
        let (DdLerpDims { channels, rank }, stored) = (self.dims, self.stored);
        let [mixed, w, k, v, r, g, down, up] = self.weights.each_ref();
        let weights = DdLerp {
            mixed: weight(mixed),
            streams: [w, k, v, r, g].map(|mu| weight(mu)),
            down: matrices(down, (channels, STREAMS * rank), stored),
            up: matrices(up, (rank, channels), stored),
        };
        cpu.ddlerp(&self.dims, sequences, rows, &weights, state, out)
    }

    fn reference<'a>(
        &'a self,
        reference: &mut Reference<'a, f64>,
        sequences: &Sequences<'_>,
        rows: &[f64],
        state: StateMut<'_, [f64]>,
        out: &mut [f64],
    ) {
        let [mixed, w, k, v, r, g, down, up] = self.bytes.each_ref().map(Bytes::tensor);
        let weights = DdLerp { mixed, streams: [w, k, v, r, g], down, up };
        reference.ddlerp(&self.dims, sequences, rows, &weights, state, out).unwrap();
    }

    fn unsigned(&self, rows: &[f64]) -> (Self, Vec<f64>) {
        (self.clone(), rows.to_vec())
    }
}

fn dims() -> impl Strategy<Value = DdLerpDims> {
    let channels = prop::sample::select(vec![8, 31, 64, 65]);
    (channels, 1..9_usize).prop_map(|(channels, rank)| DdLerpDims { channels, rank })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fixed_proportions_are_lerp(
        channels in 1..70_usize,
        streams in 0..4_usize,
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let shift = Fixed::random(channels, streams, u64::from(seed));
        let inputs = Inputs::new(&shift, &lengths, u64::from(seed) + 9);
        is_near(&shift, &inputs, 1e-6)?;
        is_the_same_anyhow(&shift, &inputs)?;
    }

    #[test]
    fn dependent_proportions_are_ddlerp(
        dims in dims(),
        stored in stored(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let shift = Dependent::random(dims, stored, u64::from(seed));
        is_near(&shift, &Inputs::new(&shift, &lengths, u64::from(seed) + 9), bound(stored))?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        stored in stored(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let shift = Dependent::random(dims, stored, u64::from(seed));
        is_the_same_anyhow(&shift, &Inputs::new(&shift, &lengths, u64::from(seed)))?;
    }
}

#[test]
fn threads_change_nothing() {
    let fixed = Fixed::random(700, 3, 3);
    let dims = DdLerpDims { channels: 300, rank: 8 };
    let dependent = Dependent::random(dims, Stored::Bf16, 3);
    for lengths in [vec![150], vec![70, 1, 40], vec![1; 100]] {
        threads_do_not_matter(&fixed, &Inputs::new(&fixed, &lengths, 5));
        threads_do_not_matter(&dependent, &Inputs::new(&dependent, &lengths, 5));
    }
}

#[test]
fn shapes_of_fixed_proportions_are_checked() {
    let call = |channels: usize, of: [usize; 4], elements: usize| {
        let [x, mu, state, out] = of.map(|n| vec![0.0; n]);
        let (mut state, mut out) = (state, out);
        let batch = Batch::new(&[0, 0], &[0, 1, 2], &[0, 1], &[]).unwrap();
        let region = Region { offset: 0, stride: elements, elements };
        let (state, mus) = (StateMut { buffer: &mut state[..], region }, [weight(&mu)]);
        let mut cpu = Cpu::new(Isa::best());
        cpu.token_shift(channels, &batch.sequences(&[0, 0]), &x, &mus, state, &mut out)
    };
    assert_eq!(call(3, [6, 3, 6, 6], 3), Ok(()));
    for of in [[5, 3, 6, 6], [6, 2, 6, 6], [6, 3, 5, 6], [6, 3, 6, 5]] {
        assert!(call(3, of, 3).is_err(), "{of:?}");
    }
    assert!(call(3, [6, 3, 6, 6], 2).is_err());
    assert!(call(usize::MAX, [6, 3, 6, 6], 3).is_err());
}

#[test]
fn shapes_of_dependent_proportions_are_checked() {
    let call =
        |dims: DdLerpDims, of: [usize; 3], sizes: [usize; 2], (inner, ups): (usize, usize)| {
            let [x, state, out] = of.map(|n| vec![0.0; n]);
            let (mut state, mut out) = (state, out);
            let [mixed, stream] = sizes.map(|n| vec![0.0; n]);
            let down = matrices(&vec![0.0; 3 * inner * STREAMS], (3, inner * STREAMS), Stored::F32);
            let up = matrices(&vec![0.0; ups * 2 * 3], (2, 3), Stored::F32);
            let streams = [(); STREAMS].map(|()| weight(&stream));
            let weights = DdLerp { mixed: weight(&mixed), streams, down, up };
            let batch = Batch::new(&[0, 0], &[0, 1, 2], &[0, 1], &[]).unwrap();
            let region = Region { offset: 0, stride: 3, elements: 3 };
            let state = StateMut { buffer: &mut state[..], region };
            let mut cpu = Cpu::new(Isa::best());
            cpu.ddlerp(&dims, &batch.sequences(&[0, 0]), &x, &weights, state, &mut out)
        };
    let dims = DdLerpDims { channels: 3, rank: 2 };
    let (of, sizes, matrices) = ([6, 6, 30], [3, 3], (2, 5));
    assert_eq!(call(dims, of, sizes, matrices), Ok(()));
    for of in [[5, 6, 30], [6, 5, 30], [6, 6, 29]] {
        assert!(call(dims, of, sizes, matrices).is_err(), "{of:?}");
    }
    assert!(call(dims, of, [2, 3], matrices).is_err());
    assert!(call(dims, of, [3, 4], matrices).is_err());
    assert!(call(dims, of, sizes, (1, 5)).is_err());
    assert!(call(dims, of, sizes, (2, 4)).is_err());
    assert!(call(DdLerpDims { rank: 0, ..dims }, of, sizes, matrices).is_err());
    assert!(call(DdLerpDims { rank: usize::MAX, ..dims }, of, sizes, matrices).is_err());
}
