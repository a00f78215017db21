//! The same bits whatever is beside a token, and nothing of what it does not see.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_cpu::GRID;
use longseq_cpu::gemm::Stored;
use longseq_cpu::isa::Isa;
use longseq_tests::attention::{Case, bits, dims};
use proptest::prelude::*;

use super::cpu;

/// Every instruction set and precision.
fn ways() -> impl Iterator<Item = (Isa, Stored)> {
    let both = |isa| [Stored::F32, Stored::Bf16].map(|stored| (isa, stored));
    Isa::all().into_iter().flat_map(both)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_split_on_the_grid_gives_the_same_bits(
        tokens in 2..400_usize,
        cuts in prop::collection::vec(any::<bool>(), 6),
        heads in (1..4_usize, 1..5_usize),
        head_dim in prop::sample::select(vec![1, 16, 40, 64]),
        window in prop::option::of(1..300_usize),
        seed in any::<u64>(),
    ) {
        let dims = AttentionDims { window, ..dims(heads, head_dim) };
        let case = Case::new(dims, 500, &[tokens], seed);
        let ends = (1..).zip(cuts).filter(|(_, cut)| *cut).map(|(number, _)| number * GRID);
        let ends = ends.filter(|end| *end < tokens).chain([tokens]).map(|end| vec![end]);
        let ends: Vec<Vec<usize>> = ends.collect();
        for (isa, stored) in ways() {
            let whole = cpu(&case, isa, stored, &[vec![tokens]]);
            let pieces = cpu(&case, isa, stored, &ends);
            prop_assert!(bits(&whole) == bits(&pieces), "{isa} {stored:?}");
        }
    }

    #[test]
    fn any_batch_gives_the_same_bits(
        tokens in prop::collection::vec(1..150_usize, 2..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 5),
        heads in (1..3_usize, 1..4_usize),
        window in prop::option::of(1..150_usize),
        seed in any::<u64>(),
    ) {
        let dims = AttentionDims { window, ..dims(heads, 16) };
        let case = Case::new(dims, 200, &tokens, seed);
        let first: Vec<usize> =
            tokens.iter().zip(cuts).map(|(&tokens, cut)| cut.index(tokens)).collect();
        for (isa, stored) in ways() {
            let (together, _) = cpu(&case, isa, stored, &[first.clone(), tokens.clone()]);
            for (slot, rows) in case.qkv.iter().enumerate() {
                let alone = Case { qkv: vec![rows.clone()], ..case.clone() };
                let (alone, _) = cpu(&alone, isa, stored, &[vec![first[slot]], vec![tokens[slot]]]);
                prop_assert!(together[slot].iter().map(|x| x.to_bits()).eq(
                    alone[0].iter().map(|x| x.to_bits())
                ), "{} {:?}", isa, stored);
            }
        }
    }
}

#[test]
fn a_piece_of_one_token_gives_the_same_bits() {
    for window in [None, Some(100)] {
        let dims = AttentionDims { window, ..dims((2, 3), 64) };
        let case = Case::new(dims, 300, &[3 * GRID + 1], 5);
        for (isa, stored) in ways() {
            let whole = cpu(&case, isa, stored, &[vec![3 * GRID + 1]]);
            let pieces = cpu(&case, isa, stored, &[vec![3 * GRID], vec![3 * GRID + 1]]);
            assert!(bits(&whole) == bits(&pieces), "{isa} {stored:?}");
        }
    }
}

/// Some tokens that see many blocks: so many of them that their states in all blocks would be too much, and fewer.
#[test]
fn some_tokens_of_a_long_sequence_give_the_same_bits() {
    let case = Case::new(dims((16, 1), 8), 4500, &[4500, 40], 6);
    for stored in [Stored::F32, Stored::Bf16] {
        let whole = cpu(&case, Isa::best(), stored, &[vec![4500, 40]]);
        let calls = [vec![4440, 1], vec![4460, 20], vec![4500, 40]];
        assert_eq!(bits(&whole), bits(&cpu(&case, Isa::best(), stored, &calls)), "{stored:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let case = Case::new(dims((6, 2), 64), 1200, &[1000, 3, 300, 1], 8);
    let calls = [vec![900, 2, 150, 0], case.tokens()];
    for (isa, stored) in ways().filter(|(isa, _)| isa.name() != "portable") {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bits(&cpu(&case, isa, stored, &calls)))
        };
        let one = run(1);
        assert_eq!(one, run(2), "{isa} {stored:?}");
        assert_eq!(one, run(3), "{isa} {stored:?}");
    }
}

#[test]
fn the_same_backend_can_serve_other_models_and_positions() {
    let first = dims((1, 2), 16);
    let bases = [first, AttentionDims { rope_base: 100.0, ..first }];
    let rotaries = [8, 0].map(|rotary| AttentionDims { rotary, ..first });
    let cases =
        [bases, rotaries].concat().into_iter().map(|dims| Case::new(dims, 100, &[90, 5], 1));
    let cases: Vec<Case> = cases.collect();
    // At the same positions: rotations are kept from call to call.
    let calls = [vec![90, 5]];
    let mut kept = longseq_cpu::Cpu::new(Isa::best());
    // Each after each of the others.
    for case in [0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3, 0].map(|case: usize| &cases[case]) {
        let found = case.run(&mut kept, &calls);
        assert_eq!(bits(&found), bits(&cpu(case, Isa::best(), Stored::F32, &calls)));
    }
}
