//! The convolution.

use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::causal_conv1d::ConvDims;
use longseq_tests::recurrence::causal_conv1d::{Convolution, dims};
use longseq_tests::recurrence::{
    Inputs, forks_go_on_alike, is_near, is_the_same_anyhow, lengths, refuses,
};
use proptest::prelude::*;

use super::{either, emulated};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn is_the_sum(dims in dims(), biased: bool, lengths in lengths(), seed in any::<u32>()) {
        let seed = u64::from(seed);
        let convolution = Convolution::random(dims, biased, seed);
        let inputs = Inputs::new(&convolution, &lengths, seed + 9);
        is_near(&convolution, &inputs, emulated(seed), Compute::F32, 1e-6)?;
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
        let seed = u64::from(seed);
        let convolution = Convolution::random(dims, biased, seed);
        let inputs = Inputs::new(&convolution, &lengths, seed);
        is_the_same_anyhow(&convolution, &inputs, either(seed), Compute::F32, 1)?;
    }
}

#[test]
fn forks_and_refusals() {
    let (activation, prompt_leaves_outputs) = (Activation::Silu, false);
    let dims = ConvDims { channels: 5, width: 4, activation, prompt_leaves_outputs };
    let convolution = Convolution::random(dims, true, 3);
    for (_, mut cuda) in either(1) {
        let inputs = Inputs::new(&convolution, &[40], 5);
        forks_go_on_alike(&convolution, &inputs, &mut cuda, Compute::F32, 21);
        refuses(&convolution, &mut cuda);
    }
}
