//! The same results as `Reference<f64>`.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_cpu::gemm::Stored;
use longseq_cpu::isa::Isa;
use longseq_tests::attention::{Case, dims, relative};
use proptest::prelude::*;

use super::cpu;

/// Compares on all instruction sets: outputs, and what the cache holds and does not. With operands in bf16 the error
/// is that of rounding them (7.3e-3 at most of 1800 such cases), to which `rounding.rs` holds it more closely.
fn check(case: &Case, calls: &[Vec<usize>]) {
    let (expected, cache) = case.reference(calls);
    for isa in Isa::all() {
        for (stored, bound) in [(Stored::F32, 1e-5), (Stored::Bf16, 1e-2)] {
            let bound = if isa.name() == "avx512bf16" { bound } else { 1e-5 };
            let (found, found_cache) = cpu(case, isa, stored, calls);
            for (found, expected) in found.iter().zip(&expected) {
                let error = relative(found, expected);
                assert!(error < bound, "{isa} {stored:?} {:?}: {error:e}", case.dims);
            }
            assert!(relative(&found_cache, &cache) < 1e-5, "{isa}: the cache");
        }
    }
}

#[test]
fn every_size_and_length_equals_the_reference() {
    for (seed, head_dim) in (0..).zip([1, 2, 16, 31, 64, 80, 128, 256]) {
        for (heads, tokens) in [((2, 1), 63), ((1, 2), 129), ((3, 4), 7), ((1, 10), 2), ((2, 3), 1)]
        {
            for rotary in [0, head_dim / 4 * 2, head_dim / 2 * 2] {
                let dims = AttentionDims { rotary, ..dims(heads, head_dim) };
                check(&Case::new(dims, 300, &[tokens], seed), &[vec![tokens]]);
            }
        }
    }
}

#[test]
fn windows_and_rings_equal_the_reference() {
    for window in [1, 5, 64, 100, 128, 200] {
        for (capacity, tokens) in [(1000, 300), (window, 129), (window + 7, 63)] {
            // A ring where the window is shorter than the capacity; where it is not, it is never full.
            let tokens = if capacity > window { tokens } else { tokens.min(window) };
            let dims = AttentionDims { window: Some(window), ..dims((2, 2), 16) };
            let case = Case::new(dims, capacity, &[tokens], window as u64);
            let middle = tokens * 2 / 3;
            check(&case, &[vec![tokens]]);
            check(&case, &[vec![1], vec![middle.max(1)], vec![tokens]]);
        }
    }
}

#[test]
fn steps_equal_the_reference() {
    for (seed, window) in (0..).zip([None, Some(1), Some(40), Some(100)]) {
        for (heads, head_dim) in [((2, 1), 64), ((1, 3), 31), ((3, 2), 80)] {
            let dims = AttentionDims { window, ..dims(heads, head_dim) };
            let case = Case::new(dims, 300, &[140, 9], seed);
            let steps = (90..=140).map(|end| vec![end, end.min(9)]);
            check(&case, &[vec![0, 2]].into_iter().chain(steps).collect::<Vec<_>>());
        }
    }
}

#[test]
fn cut_prompts_equal_the_reference() {
    for (window, tokens) in [(1, 2), (5, 70), (64, 65), (100, 300), (130, 129)] {
        let dims = AttentionDims { window: Some(window), cuts_prompt: true, ..dims((2, 2), 16) };
        let case = Case::new(dims, 1000, &[tokens + 3], window as u64);
        check(&case, &[vec![tokens], vec![tokens + 1], vec![tokens + 3]]);
    }
}

#[test]
fn long_rotations_equal_those_of_the_same_precision() {
    // f32 positions differ from exact ones (docs/numerics.md): the first tokens only, at another base.
    let dims = AttentionDims { rope_base: 500.0, ..dims((1, 1), 64) };
    check(&Case::new(dims, 600, &[513], 9), &[vec![512], vec![513]]);
}

#[test]
fn large_scores_overflow_nothing() {
    let dims = AttentionDims { scale: 40.0, ..dims((1, 2), 16) };
    let case = Case::new(dims, 300, &[200], 3);
    for isa in Isa::all() {
        let (found, _) = cpu(&case, isa, Stored::F32, &[vec![200]]);
        let (expected, _) = case.reference(&[vec![200]]);
        // Scores of some thousands have an absolute error of 1e-4.
        assert!(relative(&found[0], &expected[0]) < 3e-3, "{isa}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn ragged_batches_equal_the_reference(
        tokens in prop::collection::vec(1..200_usize, 1..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 5),
        heads in (1..4_usize, 1..5_usize),
        window in prop::option::of(1..150_usize),
        seed in any::<u64>(),
    ) {
        let dims = AttentionDims { window, ..dims(heads, 16) };
        let first = tokens.iter().zip(cuts).map(|(&tokens, cut)| cut.index(tokens)).collect();
        let case = Case::new(dims, 200, &tokens, seed);
        check(&case, &[first, tokens]);
    }
}
