//! The RG-LRU.

use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::rg_lru::RgLruDims;
use longseq_tests::recurrence::rg_lru::{Unit, dims, what_was_before_is_dropped};
use longseq_tests::recurrence::{
    Inputs, bound, compute, forks_go_on_alike, is_near, is_near_anyhow, lengths, refuses,
};
use proptest::prelude::*;

use super::{either, emulated, products_are_the_same_anyhow};

/// Tokens of a warp at a time, counted from the sequence's beginning.
const SEGMENT: usize = 16;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn is_the_recurrence(
        dims in dims(),
        compute in compute(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let unit = Unit::random(dims, seed);
        let inputs = Inputs::new(&unit, &lengths, seed + 9);
        is_near(&unit, &inputs, emulated(seed), compute, bound(compute))?;
        is_near_anyhow(&unit, &inputs, either(seed), compute, bound(compute))?;
    }

    #[test]
    fn batches_and_cuts_between_segments_do_not_matter(
        lengths in prop::collection::vec(1..300_usize, 1..3),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let unit = Unit::random(RgLruDims { channels: 6, blocks: 2 }, seed);
        let inputs = Inputs::new(&unit, &lengths, seed);
        products_are_the_same_anyhow(&unit, &inputs, seed, Compute::F32, SEGMENT)?;
    }
}

#[test]
fn what_was_before_position_0_is_dropped() {
    what_was_before_is_dropped(emulated(0));
}

#[test]
fn forks_and_refusals() {
    let unit = Unit::random(RgLruDims { channels: 40, blocks: 2 }, 3);
    for (_, mut cuda) in either(1) {
        let inputs = Inputs::new(&unit, &[40], 5);
        forks_go_on_alike(&unit, &inputs, &mut cuda, Compute::Bf16, 21);
        refuses(&unit, &mut cuda);
    }
}
