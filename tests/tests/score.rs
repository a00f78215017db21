//! RULER's scores against what its own scorer returned, and the laws of early decisions.

use std::fs;

use longseq_core::ruler::score::{Metric, Prediction, ScoreSum, round_percent};
use longseq_tests::{fixtures, oracles};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

const METRICS: [Metric; 2] = [Metric::StringMatchAll, Metric::StringMatchPart];

#[derive(Deserialize)]
struct Vectors {
    single: Vec<Single>,
    batch: Vec<Batch>,
}

#[derive(Deserialize)]
struct Single {
    pred: String,
    refs: Vec<String>,
    post: String,
    null: bool,
    all: Value,
    part: Value,
}

#[derive(Deserialize)]
struct Batch {
    preds: Vec<String>,
    refs: Vec<Vec<Option<String>>>,
    nulls: String,
    all: Value,
    part: Value,
    note: String,
}

fn vectors() -> Vectors {
    let text = fs::read_to_string(fixtures().join("ruler/scoring.json")).unwrap();
    if let Some(oracles) = oracles() {
        let theirs = fs::read_to_string(oracles.join("ruler/scoring.json")).unwrap();
        assert_eq!(text, theirs, "the fixture is no longer the oracle's");
    }
    serde_json::from_str(&text).unwrap()
}

fn score(metric: Metric, prediction: &str, references: &[String]) -> Option<f64> {
    metric.score(Prediction::new(prediction), references.iter().map(String::as_str))
}

/// RULER's number for a task, `None` where its scorer raises.
fn percent(
    metric: Metric,
    predictions: &[String],
    references: &[Vec<Option<String>>],
) -> Option<f64> {
    let mut sum = ScoreSum::default();
    for (prediction, references) in predictions.iter().zip(references) {
        let references: Vec<String> = references.iter().cloned().collect::<Option<_>>()?;
        sum.add(score(metric, prediction, &references)?);
    }
    sum.percent().map(round_percent)
}

#[test]
fn single_samples_score_as_in_ruler() {
    let vectors = vectors();
    assert_eq!(vectors.single.len(), 170);
    for Single { pred, refs, post, null, all, part } in vectors.single {
        let prediction = Prediction::new(&pred);
        assert_eq!(prediction.to_string(), post, "{pred:?}");
        assert_eq!(prediction.is_null(), null, "{pred:?}");
        let refs = [refs.into_iter().map(Some).collect()];
        for (metric, expected) in METRICS.into_iter().zip([all, part]) {
            let found = percent(metric, std::slice::from_ref(&pred), &refs);
            assert_eq!(found, expected.as_f64(), "{metric:?} of {pred:?} in {refs:?}");
        }
    }
}

#[test]
fn tasks_score_as_in_ruler() {
    let vectors = vectors();
    assert_eq!(vectors.batch.len(), 35);
    for Batch { preds, refs, nulls, all, part, note } in vectors.batch {
        for (metric, expected) in METRICS.into_iter().zip([all, part]) {
            assert_eq!(percent(metric, &preds, &refs), expected.as_f64(), "{metric:?}: {note}");
        }
        let null = preds.iter().filter(|pred| Prediction::new(pred).is_null()).count();
        assert_eq!(format!("{null}/{}", preds.len()), nulls, "{note}");
    }
}

#[test]
fn percentages_round_half_to_even_on_their_binary_value() {
    // Python 3.11: [round(x, 2) for x in (3.125, 9.375, 0.005, 0.015, 2.675, 99.995, 100.0, 0.0)]
    let cases = [
        (3.125, 3.12),
        (9.375, 9.38),
        (0.005, 0.01),
        (0.015, 0.01),
        (2.675, 2.67),
        (99.995, 100.0),
        (100.0, 100.0),
        (0.0, 0.0),
    ];
    for (percent, rounded) in cases {
        assert_eq!(round_percent(percent), rounded, "{percent}");
    }
}

#[test]
fn a_sample_without_references_has_no_score() {
    for metric in METRICS {
        assert_eq!(score(metric, "x", &[]), None);
        assert!(!metric.is_decided("x", []));
    }
}

#[test]
fn a_sigma_at_the_end_is_decided_by_what_follows() {
    let [all, _] = METRICS;
    assert!(!all.is_decided("ΑΣ", ["ας"]));
    assert!(!all.is_decided("ΑΣ", ["ασ"]));
    assert!(all.is_decided("ΑΣ ", ["ας"]));
    assert!(all.is_decided("ΑΣΑ", ["ασ"]));
    assert!(!all.is_decided("ΑΣ.", ["ας"]), "a letter after the full stop makes it medial");
    assert!(all.is_decided("ΑΣΣ", ["ασ"]), "the first of the two is settled");
}

#[test]
fn white_space_at_the_end_may_be_stripped_and_decides_nothing() {
    let [all, _] = METRICS;
    assert!(!all.is_decided("red \n", ["red "]));
    assert!(all.is_decided("red \nx", ["red "]));
    assert!(!all.is_decided(" \n", [""]), "the null flag is still open");
    assert!(all.is_decided("x", [""]));
}

#[test]
fn every_reference_or_any_decides() {
    let [all, part] = METRICS;
    assert!(!all.is_decided("red, green", ["RED", "blue"]));
    assert!(part.is_decided("red, green", ["RED", "blue"]));
    assert!(all.is_decided("red, green, blue", ["RED", "blue"]));
}

/// Short texts over few characters, so that containment is common.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[aAΣσς. \n\0İi\u{307}]{0,8}"]
}

fn reference() -> impl Strategy<Value = String> {
    "[aAσςΣ .\ni\u{307}]{0,3}"
}

proptest! {
    #[test]
    fn a_score_is_a_share(pred in text(), refs in prop::collection::vec(reference(), 1..5)) {
        for metric in METRICS {
            let score = score(metric, &pred, &refs).unwrap();
            prop_assert!((0.0..=1.0).contains(&score));
        }
    }

    #[test]
    fn containment_agrees_with_std(pred in text(), reference in reference()) {
        let processed = Prediction::new(&pred).to_string();
        let expected = processed.to_lowercase().contains(&reference.to_lowercase());
        let found = score(Metric::StringMatchPart, &pred, &[reference]).unwrap();
        prop_assert_eq!(found, f64::from(u8::from(expected)));
    }

    #[test]
    fn post_processing_is_idempotent(pred in text()) {
        let once = Prediction::new(&pred).to_string();
        prop_assert_eq!(Prediction::new(&once).to_string(), once.as_str());
    }

    #[test]
    fn what_is_decided_stays(
        text in text(),
        more in text(),
        refs in prop::collection::vec(reference(), 1..4),
    ) {
        for metric in METRICS {
            if metric.is_decided(&text, refs.iter().map(String::as_str)) {
                let longer = format!("{text}{more}");
                prop_assert_eq!(score(metric, &text, &refs), Some(1.0));
                prop_assert_eq!(score(metric, &longer, &refs), Some(1.0));
                prop_assert!(metric.is_decided(&longer, refs.iter().map(String::as_str)));
                prop_assert!(!Prediction::new(&text).is_null());
                prop_assert!(!Prediction::new(&longer).is_null());
            }
        }
    }
}
