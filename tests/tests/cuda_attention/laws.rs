//! The same bits whatever is beside a sequence, in whatever order threads run, and wherever many queries are cut.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::backend::StateMemory;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::Version;
use longseq_cuda_emulator::Options;
use longseq_tests::attention::{Case, bits, dims};
use longseq_tests::transfer::{Transfer, put_bf16, rounded};
use longseq_tests::{device, rows};
use proptest::prelude::*;

use super::{aligned, fast, put};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn any_batch_gives_the_same_bits(
        tokens in prop::collection::vec(1..150_usize, 2..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 5),
        heads in (1..3_usize, 1..4_usize),
        window in prop::option::of(1..150_usize),
        seed: u64,
    ) {
        let dims = AttentionDims { window, ..dims(heads, 16) };
        let case = aligned(Case::new(dims, 200, &tokens, seed));
        let first: Vec<usize> =
            tokens.iter().zip(cuts).map(|(&tokens, cut)| cut.index(tokens)).collect();
        let (together, _) = fast(&case, Options::default(), &[first.clone(), tokens.clone()]);
        for (slot, values) in case.qkv.iter().enumerate() {
            let alone = Case { qkv: vec![values.clone()], ..case.clone() };
            let calls = [vec![first[slot]], vec![tokens[slot]]];
            let (alone, _) = fast(&alone, Options::default(), &calls);
            prop_assert_eq!(rows::bits(&together[slot]), rows::bits(&alone[0]));
        }
    }

    #[test]
    fn any_cut_between_many_queries_gives_the_same_bits(
        tokens in 140..220_usize,
        cut in 0..70_usize,
        group in 1..4_usize,
        window in prop::option::of(1..300_usize),
        seed: u64,
    ) {
        // Both pieces have more queries than count as few.
        let dims = AttentionDims { window, ..dims((1, group), 16) };
        let case = aligned(Case::new(dims, 300, &[tokens], seed));
        let whole = fast(&case, Options::default(), &[vec![tokens]]);
        let pieces = fast(&case, Options::default(), &[vec![(65 + cut).min(tokens - 65)], vec![tokens]]);
        prop_assert!(bits(&whole) == bits(&pieces));
    }
}

#[test]
fn every_order_of_threads_and_copies_gives_the_same_bits() {
    let dims = AttentionDims { window: Some(90), ..dims((2, 2), 64) };
    let case = aligned(Case::new(dims, 200, &[150, 30], 8));
    let calls = [vec![140, 28], vec![141, 29], vec![150, 30]];
    let mut all = device::all(3).map(|options| bits(&fast(&case, options, &calls)));
    let first = all.next();
    assert!(all.all(|other| Some(other) == first));
}

#[test]
fn a_copied_slot_continues_as_the_first() {
    let dims = AttentionDims { window: Some(40), ..dims((1, 2), 16) };
    let first = aligned(Case::new(dims, 100, &[60], 2)).qkv.swap_remove(0);
    let mut second = first.clone();
    second[..50 * dims.qkv_width()].fill(3.0);
    let case = aligned(Case { qkv: vec![first, second], ..Case::new(dims, 100, &[], 2) });
    let mut cuda = device::cuda(Options::default());
    let region = case.region();
    let mut slab = cuda.buffer(region.offset + 2 * region.stride, Dtype::Bf16).unwrap();
    let mut positions = [0, 0];
    let before =
        case.call((&mut cuda, Transfer::put), &mut slab, &mut positions, &[50, 50]).unwrap();
    assert_ne!(rows::bits(&before[0]), rows::bits(&before[1]));
    cuda.copy_within(&mut slab, region.slot(0), region.slot(1).start).unwrap();
    let after =
        case.call((&mut cuda, Transfer::put), &mut slab, &mut positions, &[60, 60]).unwrap();
    assert_eq!(rows::bits(&after[0]), rows::bits(&after[1]));
}

#[test]
fn outputs_of_bf16_are_those_of_f32_rounded() {
    // Many queries, few and one, to several parts of keys; sizes of heads of which one has no fast kernel.
    for head_dim in [16, 64, 80, 96, 128, 256, 24] {
        let case = aligned(Case::new(dims((1, 2), head_dim), 300, &[270, 40], head_dim as u64));
        let calls = [vec![260, 0], vec![261, 40], vec![270, 40]];
        for (version, cache) in [
            (Version::Fast, Dtype::Bf16),
            (Version::Plain, Dtype::Bf16),
            (Version::Plain, Dtype::F32),
        ] {
            if version == Version::Plain && head_dim > 64 {
                continue;
            }
            let run = |out| {
                let mut cuda = device::cuda(Options::default()).version(version);
                case.run_with(&mut cuda, (put(cache), out), &calls).expect("calls that fit").0
            };
            for (exact, found) in run(Transfer::put).iter().zip(run(put_bf16)) {
                let same = rows::bits(&found) == rows::bits(&rounded(exact));
                assert!(same, "{version:?}, cache of {cache}, heads of {head_dim}");
            }
        }
    }
}
