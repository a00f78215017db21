//! Intervals: published values, coverage by simulation, and laws.

use longseq_core::statistics::{Estimate, mean_of, mean_score, wilson};
use proptest::prelude::*;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 5e-5
}

#[test]
fn wilson_equals_published_values() {
    // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    for (found, n, low, high) in [
        (81.0, 263.0, 0.2553, 0.3662),
        (15.0, 148.0, 0.0624, 0.1605),
        (0.0, 20.0, 0.0, 0.1611),
        (1.0, 29.0, 0.0061, 0.1718),
    ] {
        let interval = wilson(found / n, n);
        assert!(close(interval.low, low) && close(interval.high, high), "{interval:?}");
    }
}

#[test]
fn scores_of_zero_and_one_give_wilson() {
    let mut scores = [0.0; 250];
    scores[..96].fill(1.0);
    assert_eq!(mean_score(&scores), Some(wilson(96.0 / 250.0, 250.0)));
    assert_eq!(mean_score(&[0.0; 250]), Some(wilson(0.0, 250.0)));
}

#[test]
fn recalls_that_vary_less_than_outcomes_have_a_shorter_interval() {
    let scores: Vec<f64> = (0..250).map(|i| if i % 2 == 0 { 0.4 } else { 0.6 }).collect();
    let interval = mean_score(&scores).unwrap();
    // Wald's interval of these scores is 0.5 ± 0.0124, that of 250 outcomes 0.5 ± 0.062.
    assert!((0.015..0.06).contains(&(interval.high - interval.low)), "{interval:?}");
}

#[test]
fn no_scores_no_estimate() {
    assert_eq!(mean_score(&[]), None);
    assert_eq!(mean_of(&[]), None);
}

/// Uniform draws in [0, 1) of a small linear congruential generator.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Share of intervals that hold the true mean, for recalls of `k` references that are all hit
/// with the sample's own probability (`correlated`) or each with `p`.
fn coverage(p: f64, k: usize, n: usize, correlated: bool) -> f64 {
    let mut state = 42;
    let trials = 4000;
    let held = (0..trials).filter(|_| {
        let scores: Vec<f64> = (0..n)
            .map(|_| {
                // With probability one half the references of a sample stand or fall together.
                let together = correlated && uniform(&mut state) < 0.5;
                let first = uniform(&mut state) < p;
                let hits =
                    (0..k).filter(|_| if together { first } else { uniform(&mut state) < p });
                hits.count() as f64 / k as f64
            })
            .collect();
        let interval = mean_score(&scores).unwrap();
        (interval.low..=interval.high).contains(&p)
    });
    held.count() as f64 / f64::from(trials)
}

#[test]
fn intervals_hold_the_true_mean_in_at_least_about_95_of_100_cases() {
    for p in [0.05, 0.1, 0.5, 0.93] {
        for (k, correlated) in [(1, false), (4, false), (10, false), (5, true), (10, true)] {
            for n in [20, 50, 250] {
                let covered = coverage(p, k, n, correlated);

                assert!(covered > 0.92, "p {p}, k {k}, n {n}: {covered}");
            }
        }
    }
}

proptest! {
    #[test]
    fn an_interval_holds_its_mean(
        scores in prop::collection::vec((0_u32..=5).prop_map(|hits| f64::from(hits) / 5.0), 1..60),
    ) {
        let estimate = mean_score(&scores).unwrap();
        prop_assert!(0.0 <= estimate.low && estimate.low <= estimate.mean);
        prop_assert!(estimate.mean <= estimate.high && estimate.high <= 1.0);
        prop_assert!(estimate.low < estimate.high);
        // Never wider than for as many 0/1 outcomes.
        let outcomes = wilson(estimate.mean, scores.len() as f64);
        prop_assert!(outcomes.low <= estimate.low && estimate.high <= outcomes.high);
    }

    #[test]
    fn a_mean_of_estimates_is_no_wider_than_their_average(
        parts in prop::collection::vec((0.0..=1.0, 1.0..500.0), 1..14),
    ) {
        let parts: Vec<Estimate> = parts.into_iter().map(|(p, n): (f64, f64)| wilson(p, n)).collect();
        let mean = mean_of(&parts).unwrap();
        let width: f64 = parts.iter().map(|part| part.high - part.low).sum();
        prop_assert!(mean.low <= mean.mean && mean.mean <= mean.high);
        prop_assert!(mean.high - mean.low <= width / parts.len() as f64 + 1e-12);
    }
}

#[test]
fn the_mean_of_one_estimate_is_itself() {
    let one = wilson(0.384, 250.0);
    let mean = mean_of(&[one]).unwrap();
    assert!((mean.low - one.low).abs() < 1e-15 && (mean.high - one.high).abs() < 1e-15);
}
