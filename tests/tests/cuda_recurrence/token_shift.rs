//! Token shift, with fixed proportions and with those that depend on the data.

use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::token_shift::DdLerpDims;
use longseq_tests::recurrence::token_shift::{Dependent, Fixed, dims};
use longseq_tests::recurrence::{
    Inputs, bound, compute, forks_go_on_alike, is_near, is_the_same_anyhow, lengths, refuses,
};
use proptest::prelude::*;

use super::{either, emulated, products_are_the_same_anyhow};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn fixed_proportions_are_lerp(
        channels in 1..70_usize,
        streams in 0..4_usize,
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let shift = Fixed::random(channels, streams, seed);
        let inputs = Inputs::new(&shift, &lengths, seed + 9);
        is_near(&shift, &inputs, emulated(seed), Compute::F32, 1e-6)?;
        is_the_same_anyhow(&shift, &inputs, either(seed), Compute::F32, 1)?;
    }

    #[test]
    fn dependent_proportions_are_ddlerp(
        dims in dims(),
        compute in compute(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let shift = Dependent::random(dims, seed);
        let inputs = Inputs::new(&shift, &lengths, seed + 9);
        is_near(&shift, &inputs, emulated(seed), compute, bound(compute))?;
        products_are_the_same_anyhow(&shift, &inputs, seed, compute, 1)?;
    }
}

#[test]
fn forks_and_refusals() {
    let fixed = Fixed::random(7, 2, 3);
    let dependent = Dependent::random(DdLerpDims { channels: 7, rank: 3 }, 3);
    for (_, mut cuda) in either(1) {
        let inputs = Inputs::new(&fixed, &[40], 5);
        forks_go_on_alike(&fixed, &inputs, &mut cuda, Compute::F32, 21);
        forks_go_on_alike(&dependent, &inputs, &mut cuda, Compute::Bf16, 21);
        refuses(&fixed, &mut cuda);
        refuses(&dependent, &mut cuda);
    }
}
