//! The RG-LRU, and the function that it alone needs.

use longseq_core::backend::RgLru;
use longseq_core::batch::{Batch, Sequences};
use longseq_core::recurrence::rg_lru::{BlockGate, RgLruDims, RgLruWeights};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::gemm::Stored;
use longseq_cpu::numeric::math::expm1;
use longseq_cpu::{Cpu, CpuError, isa::Isa};
use proptest::prelude::*;

use super::{
    Bytes, Inputs, Operation, bound, is_near, is_the_same_anyhow, lengths, matrices, noise, stored,
    threads_do_not_matter, weight,
};

/// Weights: Wᵢ, bᵢ, Wᵣ, bᵣ, Λ.
#[derive(Clone, Debug)]
struct Unit {
    dims: RgLruDims,
    stored: Stored,
    weights: [Vec<f32>; 5],
    bytes: [Bytes; 5],
}

impl Unit {
    fn random(dims: RgLruDims, stored: Stored, seed: u64) -> Self {
        let scale = 1.0 / (dims.block_width() as f32).sqrt();
        let gate = |seed| noise(seed, dims.gate_elements()).iter().map(|x| scale * x).collect();
        let bias = |seed| noise(seed, dims.channels);
        // From decays of nearly 1 to nearly 0.
        let decay = noise(seed + 4, dims.channels).iter().map(|x| 6.0 * x - 4.0).collect();
        let weights = [gate(seed), bias(seed + 1), gate(seed + 2), bias(seed + 3), decay];
        let bytes = weights.each_ref().map(|values| Bytes::new(values));
        Self { dims, stored, weights, bytes }
    }
}

impl Operation for Unit {
    fn inputs(&self) -> usize {
        self.dims.channels
    }

    fn outputs(&self) -> usize {
        self.dims.channels
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
        let [wi, bi, wr, br, decay] = self.weights.each_ref();
        let width = self.dims.block_width();
        let gate = |w: &[f32], b: &[f32]| BlockGate {
            weight: matrices(w, (width, width), self.stored),
            bias: weight(b),
        };
        let weights = RgLruWeights {
            input_gate: gate(wi, bi),
            recurrent_gate: gate(wr, br),
            decay: weight(decay),
        };
        out.copy_from_slice(rows);
        cpu.rg_lru(&self.dims, sequences, out, &weights, state)
    }

    fn reference<'a>(
        &'a self,
        reference: &mut Reference<'a, f64>,
        sequences: &Sequences<'_>,
        rows: &[f64],
        state: StateMut<'_, [f64]>,
        out: &mut [f64],
    ) {
        let [wi, bi, wr, br, decay] = self.bytes.each_ref().map(Bytes::tensor);
        let weights = RgLruWeights {
            input_gate: BlockGate { weight: wi, bias: bi },
            recurrent_gate: BlockGate { weight: wr, bias: br },
            decay,
        };
        out.copy_from_slice(rows);
        reference.rg_lru(&self.dims, sequences, out, &weights, state).unwrap();
    }

    fn unsigned(&self, rows: &[f64]) -> (Self, Vec<f64>) {
        (self.clone(), rows.to_vec())
    }
}

fn dims() -> impl Strategy<Value = RgLruDims> {
    let width = prop::sample::select(vec![3, 8, 31, 33]);
    (2..5_usize, width).prop_map(|(blocks, width)| RgLruDims { channels: blocks * width, blocks })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn is_the_recurrence(
        dims in dims(),
        stored in stored(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let unit = Unit::random(dims, stored, u64::from(seed));
        is_near(&unit, &Inputs::new(&unit, &lengths, u64::from(seed) + 9), bound(stored))?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        stored in stored(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let unit = Unit::random(dims, stored, u64::from(seed));
        is_the_same_anyhow(&unit, &Inputs::new(&unit, &lengths, u64::from(seed)))?;
    }

    #[test]
    fn expm1_keeps_its_digits(size in -30.0..4.5_f32, negative: bool) {
        let x = if negative { -size.exp() } else { size.exp().min(80.0) };
        let (found, expected) = (f64::from(expm1(x)), f64::from(x).exp_m1());
        prop_assert!((found / expected - 1.0).abs() < 4e-7, "{} {} {}", x, found, expected);
    }
}

#[test]
fn what_was_before_position_0_is_dropped() {
    let unit = Unit::random(RgLruDims { channels: 40, blocks: 2 }, Stored::F32, 3);
    let inputs = Inputs::new(&unit, &[5], 5);
    let mut unset = inputs.clone();
    unset.states[0].fill(f32::NAN);
    for isa in Isa::all() {
        let found = unset.run(&unit, isa, &unset.whole(&unit));
        assert!(found == inputs.run(&unit, isa, &inputs.whole(&unit)), "{isa}");
    }
}

#[test]
fn threads_change_nothing() {
    let unit = Unit::random(RgLruDims { channels: 600, blocks: 3 }, Stored::Bf16, 3);
    for lengths in [vec![150], vec![70, 1, 40], vec![1; 60]] {
        threads_do_not_matter(&unit, &Inputs::new(&unit, &lengths, 5));
    }
}

#[test]
fn expm1_is_exact_where_it_can_be() {
    for x in [0.0_f32, -0.0, 1e-30, -1e-38] {
        assert_eq!(expm1(x), x);
    }
    assert_eq!(expm1(-200.0), -1.0);
    assert!(expm1(f32::NAN).is_nan());
}

#[test]
fn shapes_are_checked() {
    let dims = RgLruDims { channels: 6, blocks: 2 };
    let call = |dims: RgLruDims, of: [usize; 4], (blocks, width): (usize, usize)| {
        let [x, vector, state, elements] = of;
        let (mut x, mut state) = (vec![0.0; x], vec![0.0; state]);
        let gate = || BlockGate {
            weight: matrices(&vec![0.0; blocks * width * 3], (width, 3), Stored::F32),
            bias: weight(&vec![0.0; vector]),
        };
        let decay = weight(&vec![0.0; vector]);
        let weights = RgLruWeights { input_gate: gate(), recurrent_gate: gate(), decay };
        let batch = Batch::new(&[0, 0], &[0, 1, 2], &[0, 1], &[]).unwrap();
        let region = Region { offset: 0, stride: 6, elements };
        let state = StateMut { buffer: &mut state[..], region };
        let mut cpu = Cpu::new(Isa::best());
        cpu.rg_lru(&dims, &batch.sequences(&[0, 0]), &mut x, &weights, state)
    };
    let (of, gate) = ([12, 6, 12, 6], (2, 3));
    assert_eq!(call(dims, of, gate), Ok(()));
    for of in [[11, 6, 12, 6], [12, 5, 12, 6], [12, 6, 11, 6], [12, 6, 12, 5]] {
        assert!(call(dims, of, gate).is_err(), "{of:?}");
    }
    assert!(call(dims, of, (1, 3)).is_err());
    assert!(call(dims, of, (2, 2)).is_err());
    assert!(call(RgLruDims { blocks: 4, ..dims }, of, gate).is_err());
    assert!(call(RgLruDims { channels: 0, blocks: 0 }, of, gate).is_err());
    assert!(call(RgLruDims { channels: usize::MAX, ..dims }, of, gate).is_err());
}
