//! The RG-LRU, and the function that it alone needs.

use longseq_core::backend::RgLru;
use longseq_core::batch::Batch;
use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::rg_lru::{BlockGate, RgLruDims, RgLruWeights};
use longseq_core::state::{Region, StateMut};
use longseq_cpu::gemm::Stored;
use longseq_cpu::numeric::math::expm1;
use longseq_cpu::{Cpu, isa::Isa};
use longseq_tests::recurrence::rg_lru::{Unit, dims, what_was_before_is_dropped};
use longseq_tests::recurrence::{Inputs, bound, compute, is_near, is_the_same_anyhow, lengths};
use proptest::prelude::*;

use super::{all, matrices, threads_do_not_matter, weight};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn is_the_recurrence(
        dims in dims(),
        compute in compute(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let unit = Unit::random(dims, u64::from(seed));
        let inputs = Inputs::new(&unit, &lengths, u64::from(seed) + 9);
        is_near(&unit, &inputs, all(), compute, bound(compute))?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        compute in compute(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let unit = Unit::random(dims, u64::from(seed));
        let inputs = Inputs::new(&unit, &lengths, u64::from(seed));
        is_the_same_anyhow(&unit, &inputs, all(), compute, 1)?;
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
    what_was_before_is_dropped(all());
}

#[test]
fn threads_change_nothing() {
    let unit = Unit::random(RgLruDims { channels: 600, blocks: 3 }, 3);
    for lengths in [vec![150], vec![70, 1, 40], vec![1; 60]] {
        let inputs = Inputs::new(&unit, &lengths, 5);
        threads_do_not_matter(&unit, &inputs, Compute::Bf16, Stored::F32);
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
