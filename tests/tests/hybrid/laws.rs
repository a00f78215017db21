//! What holds for every model: results depend on a sequence's tokens, not on how they arrive.
//!
//! The reference works token by token, so all of these hold to the bit.

use std::sync::LazyLock;

use longseq::checkpoint::Checkpoint;
use longseq_tests::runner::Runner;
use proptest::prelude::*;

static CHECKPOINTS: LazyLock<Vec<Checkpoint>> = LazyLock::new(|| {
    longseq_tests::golden::NAMES.iter().map(|name| super::checkpoint(name)).collect()
});

/// Any checkpoint. Ids are below every fixture's vocabulary.
fn any_checkpoint() -> impl Strategy<Value = &'static Checkpoint> {
    (0..longseq_tests::golden::NAMES.len()).prop_map(|index| &CHECKPOINTS[index])
}

fn tokens(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..100_u32, length)
}

fn bits(rows: &[Vec<f64>]) -> Vec<u64> {
    rows.iter().flatten().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_gives_the_same(
        checkpoint in any_checkpoint(),
        tokens in tokens(1..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = Runner::<f32>::new(checkpoint, 1, 40).all(0, &tokens);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(tokens.len())).collect();
        ends.push(tokens.len());
        ends.sort_unstable();
        let mut runner = Runner::<f32>::new(checkpoint, 1, 40);
        let (mut pieces, mut start) = (vec![], 0);
        for end in ends {
            if end > start {
                pieces.extend(runner.all(0, &tokens[start..end]));
                start = end;
            }
        }
        prop_assert_eq!(bits(&whole), bits(&pieces));
    }

    #[test]
    fn a_ragged_batch_is_each_sequence_alone(
        checkpoint in any_checkpoint(),
        sequences in prop::collection::vec(tokens(1..20), 1..5),
        more in prop::collection::vec(tokens(1..6), 5),
    ) {
        // Slots in falling order: a slot is not the sequence's place in the batch.
        let slot = |index: usize| sequences.len() - 1 - index;
        let mut together = Runner::<f32>::new(checkpoint, sequences.len(), 30);
        for round in [&sequences, &more] {
            let named = |index: usize| (slot(index), &round[index][..]);
            let batch: Vec<_> = (0..sequences.len()).map(named).collect();
            let count: usize = batch.iter().map(|(_, tokens)| tokens.len()).sum();
            let rows = together.forward(&batch, &(0..count).collect::<Vec<_>>()).unwrap();
            let mut rows = rows.into_iter();
            for (index, sequence) in sequences.iter().enumerate() {
                let mut alone = Runner::<f32>::new(checkpoint, 1, 30);
                let mut expected = alone.all(0, sequence);
                if std::ptr::eq(round, &more) {
                    expected = alone.all(0, &more[index]);
                }
                let found: Vec<_> = rows.by_ref().take(expected.len()).collect();
                prop_assert_eq!(bits(&expected), bits(&found));
            }
        }
    }

    #[test]
    fn a_fork_continues_as_its_origin_would(
        checkpoint in any_checkpoint(),
        (prefix, left, right) in (tokens(1..20), tokens(1..8), tokens(1..8)),
    ) {
        let mut runner = Runner::<f32>::new(checkpoint, 3, 30);
        // What was in the slot before does not matter.
        runner.all(2, &right);
        runner.all(0, &prefix);
        runner.with(|state, backend| state.copy(backend, 0, 2)).unwrap();
        let forked = runner.all(2, &right);
        let origin = runner.all(0, &left);
        for (tokens, found) in [(&right, forked), (&left, origin)] {
            let mut alone = Runner::<f32>::new(checkpoint, 1, 30);
            alone.all(0, &prefix);
            prop_assert_eq!(bits(&alone.all(0, tokens)), bits(&found));
        }
    }

    #[test]
    fn a_reset_slot_is_a_new_one(
        checkpoint in any_checkpoint(),
        (before, tokens) in (tokens(1..20), tokens(1..20)),
    ) {
        let mut runner = Runner::<f32>::new(checkpoint, 1, 20);
        let expected = runner.all(0, &tokens);
        runner.with(|state, backend| state.reset(backend, 0)).unwrap();
        runner.all(0, &before);
        runner.with(|state, backend| state.reset(backend, 0)).unwrap();
        prop_assert_eq!(bits(&expected), bits(&runner.all(0, &tokens)));
    }

    #[test]
    fn logits_are_those_of_the_rows_asked_for(
        checkpoint in any_checkpoint(),
        tokens in tokens(1..20),
        wanted in prop::collection::vec(any::<bool>(), 20),
    ) {
        let all = Runner::<f32>::new(checkpoint, 1, 20).all(0, &tokens);
        let rows: Vec<usize> = (0..tokens.len()).filter(|&row| wanted[row]).collect();
        let some = Runner::<f32>::new(checkpoint, 1, 20).forward(&[(0, &tokens)], &rows).unwrap();
        let expected: Vec<_> = rows.iter().map(|&row| all[row].clone()).collect();
        prop_assert_eq!(bits(&expected), bits(&some));
    }
}

#[test]
fn a_pure_cache_can_be_truncated() {
    for name in ["sheared-llama", "transformerpp"] {
        let checkpoint = super::checkpoint(name);
        let mut runner = Runner::<f32>::new(&checkpoint, 1, 10);
        runner.all(0, &[3, 4, 5]);
        let expected = runner.all(0, &[6, 7]);
        runner.with(|state, _| state.truncate(0, 3)).unwrap();
        assert_eq!(bits(&expected), bits(&runner.all(0, &[6, 7])), "{name}");
    }
}
