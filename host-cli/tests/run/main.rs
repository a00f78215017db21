//! The run loop and its journal, on a model that can be foretold.

mod fake;
mod journal;
mod settled;
mod trunk;

use fake::{OUTPUT, Retriever, SAMPLES, plan, predictions, run};
use longseq::{
    completion::Finish,
    plan::Plan,
    run::{cell::Schedule, check::Check},
};
use longseq_core::ruler::score::{Metric, Prediction};

const ONE: Schedule = Schedule { batch: 1, shared_prefixes: true, grid: 1 };

fn outcome(plan: &Plan, schedule: Schedule) -> (Vec<String>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = Retriever::new(schedule);
    assert_eq!(run(folder.path(), plan, schedule, &mut engine).unwrap(), (true, 0));
    let lines = predictions(folder.path(), plan);
    let lines = lines.into_values().map(|line| serde_json::to_string(&line).unwrap()).collect();
    (lines, engine.read)
}

#[test]
fn predictions_depend_neither_on_the_batch_nor_on_shared_prefixes() {
    for decided_stop in [true, false] {
        let plan = plan(decided_stop);
        let (expected, alone) = outcome(&plan, Schedule { shared_prefixes: false, ..ONE });
        assert_eq!(expected.len(), 4 * SAMPLES);
        for batch in [1, 2, 3, 5, 40] {
            for (shared_prefixes, grid) in [(true, 1), (true, 7), (false, 1), (false, 7)] {
                let schedule = Schedule { batch, shared_prefixes, grid };
                let (found, read) = outcome(&plan, schedule);
                assert_eq!(found, expected, "{schedule:?}");
                if shared_prefixes {
                    assert!(read * 3 < alone * 2, "{read} of {alone} tokens read");
                } else {
                    assert_eq!(read, alone);
                }
            }
        }
    }
}

#[test]
fn the_tokens_of_a_run_are_foretold() {
    let plan = plan(false);
    for schedule in
        [ONE, Schedule { grid: 16, ..ONE }, Schedule { batch: 4, shared_prefixes: false, grid: 1 }]
    {
        let home = tempfile::tempdir().unwrap();
        let tokenizer = fake::byte_tokenizer(home.path());
        let check = Check::new(&plan, home.path(), &fake::NEEDLES, &tokenizer, schedule, |_| {});
        assert_eq!(check.unwrap().work(), outcome(&plan, schedule).1);
    }
}

#[test]
fn decided_samples_stop_early_and_score_the_same() {
    let run_in = |decided_stop| {
        let (folder, plan) = (tempfile::tempdir().unwrap(), plan(decided_stop));
        run(folder.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap();
        predictions(folder.path(), &plan)
    };
    let (early, whole) = (run_in(true), run_in(false));
    let mut decided = 0;
    for (key, early) in &early {
        let whole = &whole[key];
        let score = |text: &str| {
            let references = whole.outputs.iter().map(String::as_str);
            Metric::StringMatchAll.score(Prediction::new(text), references).unwrap()
        };
        assert!(whole.pred.starts_with(&early.pred), "{} / {}", early.pred, whole.pred);
        assert_eq!(score(&early.pred), score(&whole.pred));
        assert_eq!(whole.others.finish, Some(Finish::Length));
        assert_eq!(whole.others.generated_tokens, Some(OUTPUT));
        if early.others.finish == Some(Finish::Decided) {
            assert_eq!(early.others.generated_tokens, Some(" It is 12345".len()));
            assert_eq!(score(&early.pred), 1.0);
            decided += 1;
        }
    }
    assert_eq!(decided, 4 * SAMPLES * 2 / 3);
}

#[test]
fn an_end_of_text_token_ends_the_text_and_is_left_out() {
    let (folder, mut plan) = (tempfile::tempdir().unwrap(), plan(false));
    plan.end_of_text = vec![u32::from(b's')];
    run(folder.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap();
    for line in predictions(folder.path(), &plan).into_values() {
        assert_eq!((line.pred.as_str(), line.others.finish), (" It i", Some(Finish::Eos)));
        assert_eq!(line.others.generated_tokens, Some(6));
    }
}

#[test]
fn a_sample_that_fails_is_failed_and_the_others_are_not() {
    let (folder, plan) = (tempfile::tempdir().unwrap(), plan(true));
    let expected = outcome(&plan, ONE).0;
    let schedule = Schedule { batch: 3, ..ONE };
    let mut engine = Retriever::new(schedule);
    // The digit 8 stands in the numbers of some samples only.
    engine.poison = Some(b'8');
    let poisoned: Vec<usize> =
        (0..SAMPLES).filter(|number| (10_000 + 7_919 * number).to_string().contains('8')).collect();
    assert!(!poisoned.is_empty() && poisoned.len() < SAMPLES / 2);
    let failed = 4 * poisoned.len();
    assert_eq!(run(folder.path(), &plan, schedule, &mut engine).unwrap(), (true, failed));
    let lines = predictions(folder.path(), &plan);
    assert_eq!(lines.len(), expected.len() - failed);
    let failures = longseq::journal::failures(folder.path()).unwrap();
    assert_eq!(failures.len(), failed);
    for ((_, _, sample), failure) in failures {
        assert!(poisoned.contains(&sample) && failure.error == "poisoned", "{failure:?}");
    }
    // The same command again tries the failed ones again.
    let mut healthy = Retriever::new(schedule);
    assert_eq!(run(folder.path(), &plan, schedule, &mut healthy).unwrap(), (true, 0));
    let lines = predictions(folder.path(), &plan).into_values();
    let lines: Vec<String> = lines.map(|line| serde_json::to_string(&line).unwrap()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_prompt_that_does_not_fit_is_refused_before_the_first_token() {
    let home = tempfile::tempdir().unwrap();
    let tokenizer = fake::byte_tokenizer(home.path());
    let check = |kept_free| {
        let source = fake::Needles { kept_free };
        Check::new(&plan(true), home.path(), &source, &tokenizer, ONE, |_| {})
    };
    assert_eq!(check(200).unwrap().pending(), 4 * SAMPLES);
    let error = check(0).unwrap_err();
    assert!(error.what().contains("one at 600 tokens"), "{error}");
}
