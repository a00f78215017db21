//! The scan of RWKV-6.

use longseq_core::numeric::compute::Compute;
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_tests::recurrence::wkv6::{Scan, dims};
use longseq_tests::recurrence::{
    Inputs, forks_go_on_alike, is_near, is_the_same_anyhow, lengths, refuses,
};
use proptest::prelude::*;

use super::{either, emulated};

/// Often of the size that the fast version has.
fn sizes() -> impl Strategy<Value = Wkv6Dims> {
    let of_models = (1..3_usize).prop_map(|heads| Wkv6Dims { heads, head_dim: 64 });
    prop_oneof![dims(), of_models]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn is_the_recurrence(dims in sizes(), lengths in lengths(), seed in any::<u32>()) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &lengths, seed + 9);
        is_near(&scan, &inputs, emulated(seed), Compute::F32, 1e-6)?;
    }

    #[test]
    fn splits_and_batches_do_not_matter(
        dims in sizes(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &lengths, seed);
        is_the_same_anyhow(&scan, &inputs, either(seed), Compute::F32, 1)?;
    }
}

#[test]
fn forks_and_refusals() {
    let scan = Scan::random(Wkv6Dims { heads: 1, head_dim: 64 }, 3);
    for (_, mut cuda) in either(1) {
        let inputs = Inputs::new(&scan, &[20], 5);
        forks_go_on_alike(&scan, &inputs, &mut cuda, Compute::F32, 3);
        refuses(&scan, &mut cuda);
    }
}
