//! The convolution.

use longseq_core::backend::{CausalConv1d, Columns};
use longseq_core::batch::Batch;
use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::causal_conv1d::{Conv, ConvDims};
use longseq_core::state::{Region, StateMut};
use longseq_cpu::{Cpu, gemm::Stored, isa::Isa};
use longseq_tests::recurrence::causal_conv1d::{Convolution, dims};
use longseq_tests::recurrence::{Inputs, is_near, is_the_same_anyhow, lengths};
use proptest::prelude::*;

use super::{all, threads_do_not_matter, weight};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn is_the_sum(dims in dims(), biased: bool, lengths in lengths(), seed in any::<u32>()) {
        let convolution = Convolution::random(dims, biased, u64::from(seed));
        let inputs = Inputs::new(&convolution, &lengths, u64::from(seed) + 9);
        is_near(&convolution, &inputs, all(), Compute::F32, 1e-6)?;
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
        let inputs = Inputs::new(&convolution, &lengths, u64::from(seed));
        is_the_same_anyhow(&convolution, &inputs, all(), Compute::F32, 1)?;
    }
}

#[test]
fn threads_change_nothing() {
    let activation = Activation::Silu;
    for prompt_leaves_outputs in [false, true] {
        let dims = ConvDims { channels: 1000, width: 4, activation, prompt_leaves_outputs };
        let convolution = Convolution::random(dims, true, 3);
        for lengths in [vec![150], vec![70, 1, 40], vec![1; 70]] {
            let inputs = Inputs::new(&convolution, &lengths, 5);
            threads_do_not_matter(&convolution, &inputs, Compute::F32, Stored::F32);
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
