//! The scan of Mamba-2.

use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_core::recurrence::ssd::SsdDims;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::Options;
use longseq_tests::device::{self, Device};
use longseq_tests::recurrence::ssd::{Scan, dims};
use longseq_tests::recurrence::{
    Inputs, Operation, forks_go_on_alike, is_near, is_near_anyhow, is_the_same_anyhow, lengths,
    refuses,
};
use proptest::prelude::*;

use super::{either, emulated};

/// Tokens of a chunk, counted from the sequence's beginning.
const CHUNK: usize = 64;

/// How near chunks come to the recurrence, of the magnitudes added.
const CHUNKED: f64 = 5e-3;

/// Sizes that the fast versions have.
fn sizes() -> impl Strategy<Value = SsdDims> {
    let state = prop::sample::select(vec![64, 128]);
    (1..3_usize, 1..3_usize, state).prop_map(|(per_group, groups, state)| SsdDims {
        heads: per_group * groups,
        head_dim: 64,
        state,
        groups,
    })
}

/// The fast versions in f32.
fn steps(seed: u64) -> impl Iterator<Item = (String, Cuda<Device>)> {
    either(seed).skip(1).map(|(name, cuda)| (name, cuda.products_in(Dtype::F32)))
}

/// The fast versions, in every order and with every arrival of copies.
fn chunks(seed: u64) -> impl Iterator<Item = (String, Cuda<Device>)> {
    device::all(seed).map(|options| (format!("{options:?}"), device::cuda(options)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn other_sizes_are_the_recurrence(
        dims in dims(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        prop_assume!((dims.head_dim, dims.state) != (64, 64));
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &lengths, seed + 9);
        is_near(&scan, &inputs, emulated(seed), Compute::F32, 1e-6)?;
        is_the_same_anyhow(&scan, &inputs, either(seed), Compute::F32, 1)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn steps_are_the_recurrence(dims in sizes(), lengths in lengths(), seed in any::<u32>()) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &lengths, seed + 9);
        is_near(&scan, &inputs, steps(seed), Compute::F32, 1e-6)?;
        is_the_same_anyhow(&scan, &inputs, steps(seed), Compute::F32, 1)?;
    }

    #[test]
    fn chunks_are_near_the_recurrence(
        dims in sizes(),
        lengths in lengths(),
        seed in any::<u32>(),
    ) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &lengths, seed + 9);
        is_near(&scan, &inputs, chunks(seed), Compute::F32, CHUNKED)?;
    }

    #[test]
    fn cuts_hardly_matter(dims in sizes(), length in 2..80_usize, seed in any::<u32>()) {
        let seed = u64::from(seed);
        let scan = Scan::random(dims, seed);
        let inputs = Inputs::new(&scan, &[length], seed);
        is_near_anyhow(&scan, &inputs, chunks(seed).take(1), Compute::F32, CHUNKED)?;
    }
}

#[test]
fn batches_and_cuts_between_chunks_do_not_matter() {
    // Single tokens go their own way, alone as in a batch.
    for (state, lengths) in [(128, vec![130, 1, 2]), (64, vec![66, 150])] {
        let scan = Scan::random(SsdDims { heads: 1, head_dim: 64, state, groups: 1 }, 3);
        let inputs = Inputs::new(&scan, &lengths, 5);
        is_the_same_anyhow(&scan, &inputs, either(1).skip(1), Compute::F32, CHUNK).unwrap();
    }
}

#[test]
fn banks_do_not_conflict() {
    if device::is_skipped("bank conflicts", false) {
        return;
    }
    for state in [64, 128] {
        let scan = Scan::random(SsdDims { heads: 2, head_dim: 64, state, groups: 1 }, 3);
        let inputs = Inputs::new(&scan, &[70], 5);
        let mut cuda = device::cuda(Options::default());
        let weights = scan.taken(&mut cuda, Compute::F32);
        inputs.run((&scan, &weights), &mut cuda, &inputs.whole(&scan));
        let statistics = cuda.runtime().statistics().expect("the emulator");
        assert!(statistics.matrix_loads > 0 && statistics.bank_conflicts == 0, "{statistics:?}");
    }
}

#[test]
fn forks_and_refusals() {
    for (head_dim, state) in [(64, 64), (5, 3)] {
        let scan = Scan::random(SsdDims { heads: 2, head_dim, state, groups: 1 }, 3);
        for (_, mut cuda) in either(1) {
            let inputs = Inputs::new(&scan, &[40], 5);
            forks_go_on_alike(&scan, &inputs, &mut cuda, Compute::F32, 21);
            refuses(&scan, &mut cuda);
        }
    }
}
