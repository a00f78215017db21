//! The same results as `Reference<f64>`, to the rounding of what is stored.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda_emulator::Options;
use longseq_tests::attention::{Case, dims, relative};
use longseq_tests::device;
use proptest::prelude::*;

use super::{aligned, fast, plain, run};

/// Plain and fast kernels in bf16, and the rotation of the fast ones, with plain attention, in f32.
pub fn check(case: &Case, calls: &[Vec<usize>]) {
    let (expected, cache) = case.reference(calls);
    let mut cuda = device::cuda(Options::default());
    let in_f32 = run(case, &mut cuda, Dtype::F32, calls).expect("calls that fit");
    for (name, (found, found_cache), bounds) in [
        ("plain, f32", plain(case, Dtype::F32, calls), (1e-5, 1e-5)),
        ("fast, f32", in_f32, (1e-5, 1e-5)),
        ("plain, bf16", plain(case, Dtype::Bf16, calls), (1e-2, 3e-3)),
        ("fast, bf16", fast(case, Options::default(), calls), (1e-2, 3e-3)),
    ] {
        for (found, expected) in found.iter().zip(&expected) {
            let error = relative(found, expected);
            assert!(error < bounds.0, "{name} {:?}: {error:e}", case.dims);
        }
        let error = relative(&found_cache, &cache);
        assert!(error < bounds.1, "{name}: the cache: {error:e}");
    }
}

#[test]
fn every_size_and_rotation() {
    for (seed, head_dim) in (0..).zip([1, 12, 16, 24, 32, 64, 80, 96, 128, 256]) {
        for (heads, tokens) in [((2, 1), 33), ((1, 3), 7)] {
            for rotary in [0, head_dim / 4 * 2, head_dim / 2 * 2] {
                let dims = AttentionDims { rotary, ..dims(heads, head_dim) };
                check(&aligned(Case::new(dims, 100, &[tokens], seed)), &[vec![tokens]]);
            }
        }
    }
}

#[test]
fn heads_with_more_pairs_than_the_fast_rotation_takes() {
    check(&Case::new(dims((1, 2), 520), 10, &[3], 1), &[vec![3]]);
}

#[test]
fn caches_anywhere_in_their_slab() {
    for beside in [(3, 5), (8, 5), (8, 4), (4, 8)] {
        let dims = AttentionDims { window: Some(40), ..dims((2, 2), 16) };
        let case = Case { beside, ..Case::new(dims, 100, &[60, 3], 4) };
        check(&case, &[vec![30, 1], vec![59, 2], vec![60, 3]]);
    }
}

#[test]
fn large_scores_overflow_nothing() {
    // Of two keys whose scores are so far apart one has all the weight.
    let dims = AttentionDims { scale: 40.0, rotary: 0, ..dims((1, 2), 16) };
    let case = aligned(Case::new(dims, 200, &[150], 3));
    let (plain, _) = plain(&case, Dtype::Bf16, &[vec![150]]);
    let (found, _) = fast(&case, Options::default(), &[vec![150]]);
    let plain: Vec<f64> = plain[0].iter().map(|&x| x.into()).collect();
    assert!(relative(&found[0], &plain) < 3e-3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn ragged_batches(
        tokens in prop::collection::vec(prop::sample::select(vec![1_usize, 2, 7, 63, 129]), 1..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 5),
        heads in (1..3_usize, 1..4_usize),
        head_dim in prop::sample::select(vec![16_usize, 32, 64, 128]),
        window in prop::option::of(1..150_usize),
        seed: u64,
    ) {
        let dims = AttentionDims { window, ..dims(heads, head_dim) };
        let first = tokens.iter().zip(cuts).map(|(&tokens, cut)| cut.index(tokens)).collect();
        check(&aligned(Case::new(dims, 200, &tokens, seed)), &[first, tokens]);
    }
}
