//! The scan of RWKV-6.

use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::Options;
use longseq_tests::device::{self, Device};
use longseq_tests::recurrence::wkv6::{Scan, dims};
use longseq_tests::recurrence::{
    Inputs, Operation, forks_go_on_alike, is_near, is_near_anyhow, is_the_same_anyhow, lengths,
    refuses,
};
use proptest::prelude::*;

use super::{either, emulated};

/// Tokens of a chunk, counted from the sequence's beginning.
const CHUNK: usize = 16;

/// How near chunks come to the recurrence, of the magnitudes added.
const CHUNKED: f64 = 5e-3;

/// Often of the size that the fast versions have.
fn sizes() -> impl Strategy<Value = Wkv6Dims> {
    prop_oneof![dims(), of_models()]
}

fn of_models() -> impl Strategy<Value = Wkv6Dims> {
    (1..3_usize).prop_map(|heads| Wkv6Dims { heads, head_dim: 64 })
}

/// In f32, token by token.
fn steps(
    backends: impl Iterator<Item = (String, Cuda<Device>)>,
) -> impl Iterator<Item = (String, Cuda<Device>)> {
    backends.map(|(name, cuda)| (name, cuda.products_in(Dtype::F32)))
}

/// In chunks, in every order.
fn chunks(seed: u64) -> impl Iterator<Item = (String, Cuda<Device>)> {
    device::orders(seed).map(|options| (format!("{options:?}"), device::cuda(options)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn steps_are_the_recurrence(dims in sizes(), lengths in lengths(), seed in any::<u32>()) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &lengths, seed + 9);
        is_near(&scan, &inputs, steps(emulated(seed)), Compute::F32, 1e-6)?;
    }

    #[test]
    fn splits_and_batches_do_not_matter_to_steps(
        dims in sizes(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &lengths, seed);
        is_the_same_anyhow(&scan, &inputs, steps(either(seed)), Compute::F32, 1)?;
    }

    #[test]
    fn chunks_are_near_the_recurrence(
        dims in of_models(),
        lengths in lengths(),
        extreme in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let mut inputs = Inputs::new(&scan, &lengths, seed + 9);
        if extreme {
            scan.with_extreme_decays(&mut inputs);
        }
        is_near(&scan, &inputs, chunks(seed), Compute::F32, CHUNKED)?;
    }

    #[test]
    fn cuts_hardly_matter_to_chunks(length in 2..80_usize, seed in any::<u32>()) {
        let seed = u64::from(seed);
        let scan = Scan::random(Wkv6Dims { heads: 1, head_dim: 64 }, seed);
        let inputs = Inputs::new(&scan, &[length], seed);
        is_near_anyhow(&scan, &inputs, chunks(seed).take(1), Compute::F32, CHUNKED)?;
    }
}

/// Every value by itself: channels that remember much do not hide those that forget.
#[test]
fn each_channel_is_near_by_itself() {
    let scan = Scan::random(Wkv6Dims { heads: 1, head_dim: 64 }, 3);
    let mut inputs = Inputs::new(&scan, &[90], 5);
    scan.with_extreme_decays(&mut inputs);
    let (expected, sizes) = (inputs.expected(&scan), inputs.sizes(&scan));
    for (name, mut cuda) in chunks(2) {
        let weights = scan.taken(&mut cuda, Compute::F32);
        let found = inputs.run((&scan, &weights), &mut cuda, &inputs.whole(&scan));
        for (what, found, expected, sizes) in [
            ("o", &found.rows[0], &expected.rows[0], &sizes.rows[0]),
            ("S", &found.states[0], &expected.states[0], &sizes.states[0]),
        ] {
            let all = found.iter().zip(expected).zip(sizes).enumerate();
            for (i, ((&found, &expected), &size)) in all {
                let error = (f64::from(found) - expected).abs();
                // Below the smallest normal f32 a GPU may have 0.
                assert!(
                    error <= 2.0 * CHUNKED * size + 1e-37,
                    "{name}: {what} {i}: {error:e} of {size:e}"
                );
            }
        }
    }
}

#[test]
fn batches_and_cuts_between_chunks_do_not_matter() {
    // Single tokens go their own way, alone as in a batch: the last of these, and none of the pieces of the others.
    let scan = Scan::random(Wkv6Dims { heads: 2, head_dim: 64 }, 3);
    for (lengths, seed) in [([130, 25, 7, 1], 5), ([66, 150, 64, 1], 6)] {
        let inputs = Inputs::new(&scan, &lengths, seed);
        is_the_same_anyhow(&scan, &inputs, either(1).skip(1), Compute::F32, CHUNK).unwrap();
    }
}

#[test]
fn chunks_of_large_heads_have_no_conflicting_banks() {
    if device::is_skipped("bank conflicts", false) {
        return;
    }
    let scan = Scan::random(Wkv6Dims { heads: 2, head_dim: 64 }, 3);
    let inputs = Inputs::new(&scan, &[70], 5);
    let mut cuda = device::cuda(Options::default());
    let weights = scan.taken(&mut cuda, Compute::F32);
    inputs.run((&scan, &weights), &mut cuda, &inputs.whole(&scan));
    let launched = cuda.runtime().launched();
    let statistics = cuda.runtime().statistics().expect("the emulator");
    assert!(launched.contains("wkv6_chunks") && !launched.contains("wkv6"), "{launched:?}");
    assert!(statistics.matrix_loads > 0 && statistics.bank_conflicts == 0, "{statistics:?}");
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
