//! Where bf16 loses nothing, nothing is lost.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda_emulator::Options;
use longseq_tests::attention::{Case, dims, relative};
use longseq_tests::device;
use proptest::prelude::*;

use super::{aligned, fast, plain};

/// Queries, keys and values are whole numbers, few queries and keys other than 0, and scores count in units of ln 2: so
/// weights are powers of two.
pub fn whole_numbers(
    heads: (usize, usize),
    head_dim: usize,
    (window, cuts_prompt): (Option<usize>, bool),
    tokens: &[usize],
    capacity: usize,
) -> Case {
    let scale = core::f64::consts::LN_2;
    let dims = AttentionDims { rotary: 0, scale, window, cuts_prompt, ..dims(heads, head_dim) };
    let mut case = aligned(Case::new(dims, capacity, tokens, head_dim as u64));
    let values = dims.query_width() + dims.kv_width();
    for row in case.qkv.iter_mut().flat_map(|rows| rows.chunks_exact_mut(dims.qkv_width())) {
        let (factors, values) = row.split_at_mut(values);
        factors.iter_mut().for_each(|x| *x = if x.abs() > 0.8 { x.signum() } else { 0.0 });
        values.iter_mut().for_each(|x| *x = (*x * 10.0).round());
    }
    case
}

/// Sums are in f32, up to 1e-6 of what is added; outliers among the values cancel some of it.
pub const BOUND: f64 = 4e-6;

fn check(case: &Case, options: impl IntoIterator<Item = Options>, calls: &[Vec<usize>]) {
    let (expected, cache) = case.reference(calls);
    let plain = [Dtype::Bf16, Dtype::F32].map(|dtype| plain(case, dtype, calls));
    let fast = options.into_iter().map(|options| fast(case, options, calls));
    for (number, (found, found_cache)) in plain.into_iter().chain(fast).enumerate() {
        for (slot, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = relative(found, expected);
            assert!(error < BOUND, "run {number}, slot {slot} of {:?}: {error:e}", case.dims);
        }
        assert_eq!(relative(&found_cache, &cache), 0.0, "run {number}: the cache");
    }
}

#[test]
fn every_size_of_heads() {
    for head_dim in [16, 32, 64, 80, 96, 128, 256] {
        for (heads, tokens) in [((1, 1), 129), ((1, 3), 63)] {
            let case = whole_numbers(heads, head_dim, (None, false), &[tokens], 200);
            check(&case, [Options::default()], &[vec![tokens]]);
            check(&case, [Options::default()], &[vec![tokens - 3], vec![tokens - 2], vec![tokens]]);
        }
    }
}

#[test]
fn sizes_that_only_the_plain_kernel_has() {
    for head_dim in [1, 12, 24, 40] {
        let case = whole_numbers((2, 2), head_dim, (Some(20), false), &[70], 200);
        check(&case, [Options::default()], &[vec![50], vec![51], vec![70]]);
    }
}

#[test]
fn every_order_of_threads_and_copies() {
    for (heads, window) in [((1, 2), None), ((2, 1), Some(70))] {
        let case = whole_numbers(heads, 16, (window, false), &[150, 7], 200);
        check(&case, device::all(1), &[vec![140, 5], vec![141, 7], vec![150, 7]]);
    }
}

#[test]
fn many_parts_of_keys() {
    for window in [None, Some(300)] {
        let case = whole_numbers((1, 2), 16, (window, false), &[1030], 1100);
        check(&case, [Options::default()], &[vec![1000], vec![1001], vec![1030]]);
    }
}

#[test]
fn windows_and_rings() {
    for window in [1, 5, 64, 100] {
        for (capacity, tokens) in [(1000, 190), (window, 129), (window + 7, 100)] {
            let tokens = if capacity > window { tokens } else { tokens.min(window) };
            let case = whole_numbers((1, 2), 16, (Some(window), false), &[tokens], capacity);
            let middle = (tokens * 2 / 3).max(1);
            check(&case, [Options::default()], &[vec![tokens]]);
            check(&case, [Options::default()], &[vec![1], vec![middle], vec![tokens]]);
        }
    }
}

#[test]
fn cut_prompts() {
    for (window, tokens) in [(1, 2), (5, 70), (64, 65), (100, 190), (130, 129)] {
        let case = whole_numbers((1, 2), 16, (Some(window), true), &[tokens + 3], 1000);
        check(&case, [Options::default()], &[vec![tokens], vec![tokens + 1], vec![tokens + 3]]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn ragged_batches(
        tokens in prop::collection::vec(prop::sample::select(vec![1_usize, 2, 7, 63, 129]), 1..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 5),
        heads in (1..3_usize, 1..5_usize),
        head_dim in prop::sample::select(vec![16_usize, 32, 64, 80]),
        window in prop::option::of(1..150_usize),
        seed: u64,
    ) {
        let first = tokens.iter().zip(cuts).map(|(&tokens, cut)| cut.index(tokens)).collect();
        let case = whole_numbers(heads, head_dim, (window, false), &tokens, 200);
        check(&case, Options::orders(seed).skip(2), &[first, tokens]);
    }
}
