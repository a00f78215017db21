//! Token shift, with fixed proportions and with those that depend on the data.

use longseq_core::backend::TokenShift;
use longseq_core::batch::Batch;
use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS};
use longseq_core::state::{Region, StateMut};
use longseq_cpu::gemm::Stored;
use longseq_cpu::{Cpu, isa::Isa};
use longseq_tests::recurrence::token_shift::{Dependent, Fixed, dims};
use longseq_tests::recurrence::{Inputs, bound, compute, is_near, is_the_same_anyhow, lengths};
use proptest::prelude::*;

use super::{all, matrices, threads_do_not_matter, weight};

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
        is_near(&shift, &inputs, all(), Compute::F32, 1e-6)?;
        is_the_same_anyhow(&shift, &inputs, all(), Compute::F32, 1)?;
    }

    #[test]
    fn dependent_proportions_are_ddlerp(
        dims in dims(),
        compute in compute(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let shift = Dependent::random(dims, u64::from(seed));
        let inputs = Inputs::new(&shift, &lengths, u64::from(seed) + 9);
        is_near(&shift, &inputs, all(), compute, bound(compute))?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in dims(),
        compute in compute(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let shift = Dependent::random(dims, u64::from(seed));
        let inputs = Inputs::new(&shift, &lengths, u64::from(seed));
        is_the_same_anyhow(&shift, &inputs, all(), compute, 1)?;
    }
}

#[test]
fn threads_change_nothing() {
    let fixed = Fixed::random(700, 3, 3);
    let dims = DdLerpDims { channels: 300, rank: 8 };
    let dependent = Dependent::random(dims, 3);
    for lengths in [vec![150], vec![70, 1, 40], vec![1; 100]] {
        let inputs = Inputs::new(&fixed, &lengths, 5);
        threads_do_not_matter(&fixed, &inputs, Compute::F32, Stored::F32);
        let inputs = Inputs::new(&dependent, &lengths, 5);
        threads_do_not_matter(&dependent, &inputs, Compute::Bf16, Stored::F32);
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
