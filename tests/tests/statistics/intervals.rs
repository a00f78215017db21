//! Intervals: published values, coverage by simulation, and laws.

use longseq_core::statistics::{
    Estimate, bootstrap, difference, mean_of, mean_score, p_value, ratio, wilson,
};
use proptest::prelude::*;
use serde::Deserialize;

use super::{expected, uniform};

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

/// Share of intervals that hold the true mean, for recalls of `k` references that are all hit
/// with the sample's own probability (`correlated`) or each with `p`.
fn coverage(
    (p, k, n, correlated): (f64, usize, usize, bool),
    trials: u32,
    interval: impl Fn(&[f64]) -> Option<Estimate>,
) -> f64 {
    let mut state = 42;
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
        let interval = interval(&scores).unwrap();
        (interval.low..=interval.high).contains(&p)
    });
    held.count() as f64 / f64::from(trials)
}

#[test]
fn intervals_hold_the_true_mean_in_at_least_about_95_of_100_cases() {
    for p in [0.05, 0.1, 0.5, 0.93] {
        for (k, correlated) in [(1, false), (4, false), (10, false), (5, true), (10, true)] {
            for n in [20, 50, 250] {
                let covered = coverage((p, k, n, correlated), 4000, mean_score);
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

/// Not a bound that it keeps, but what docs/scoring.md says of it.
#[test]
fn the_bootstrap_is_too_short_for_few_samples_and_right_for_many() {
    let bootstrap = |scores: &[f64]| bootstrap::mean(&[scores], &mut [0.0; 400], 7);
    let covered = |p, k, n| coverage((p, k, n, false), 1000, bootstrap);
    let few = covered(0.95, 4, 20);
    assert!((0.7..0.92).contains(&few), "{few}");
    for (p, k) in [(0.1, 4), (0.5, 4), (0.93, 10)] {
        let many = covered(p, k, 250);
        assert!((0.92..0.98).contains(&many), "p {p}, k {k}: {many}");
    }
}

#[derive(Deserialize)]
struct Wilson {
    count: f64,
    n: f64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct Newcombe {
    counts: [f64; 4],
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct Bootstrap {
    scores: Vec<f64>,
    interval: [f64; 2],
}

fn is_near(of: Estimate, [low, high]: [f64; 2], tolerance: f64) -> bool {
    (of.low - low).abs() < tolerance && (of.high - high).abs() < tolerance
}

#[test]
fn intervals_are_those_of_statsmodels_and_scipy() {
    for Wilson { count, n, interval } in expected::<Vec<Wilson>>("wilson") {
        assert!(is_near(wilson(count / n, n), interval, 1e-12), "{count} of {n}");
    }
    for Newcombe { counts: [a, n, b, m], interval } in expected::<Vec<Newcombe>>("newcombe") {
        let ours = difference(wilson(a / n, n), wilson(b / m, m));
        assert!(is_near(ours, interval, 1e-9), "{a}/{n} {b}/{m}: {ours:?} {interval:?}");
    }
    for Bootstrap { scores, interval } in expected::<Vec<Bootstrap>>("bootstrap") {
        let ours = bootstrap::mean(&[&scores], &mut vec![0.0; 40_000], 1).unwrap();
        let width = interval[1] - interval[0];
        assert!(is_near(ours, interval, 0.03 * width), "{ours:?} {interval:?}");
    }
}

#[test]
fn a_ratio_has_the_interval_that_its_equation_defines() {
    // Each end R solves R m_b = m_a ∓ √((m_a − l_a)² + R² (u_b − m_b)²) and its mirror image.
    for (a, n, b, m) in
        [(30.0, 250.0, 200.0, 250.0), (5.0, 20.0, 9.0, 20.0), (20.0, 20.0, 15.0, 20.0)]
    {
        let (a, b) = (wilson(a / n, n), wilson(b / m, m));
        let of = ratio(a, b).unwrap();
        let low = of.low * b.mean - a.mean + (a.mean - a.low).hypot(of.low * (b.high - b.mean));
        let high = of.high * b.mean - a.mean - (a.high - a.mean).hypot(of.high * (b.mean - b.low));
        assert!(low.abs() < 1e-12 && high.abs() < 1e-12, "{of:?}: {low} {high}");
    }
    let nothing = wilson(0.0, 20.0);
    assert_eq!(ratio(wilson(0.5, 20.0), nothing), None);
    assert_eq!(ratio(nothing, wilson(0.5, 20.0)).unwrap().mean, 0.0);
}

proptest! {
    #[test]
    fn a_difference_turns_around(a in 0_u32..=50, b in 0_u32..=70) {
        let (a, b) = (wilson(f64::from(a) / 50.0, 50.0), wilson(f64::from(b) / 70.0, 70.0));
        let (there, back) = (difference(a, b), difference(b, a));
        prop_assert!((there.low + back.high).abs() < 1e-15 && (there.high + back.low).abs() < 1e-15);
        prop_assert!(there.low <= there.mean && there.mean <= there.high);
        prop_assert!(there.low >= -1.0 - 1e-12 && there.high <= 1.0 + 1e-12);
        let excludes_0 = there.low > 0.0 || there.high < 0.0;
        // On the edge rounding decides.
        if there.low.abs() > 1e-9 && there.high.abs() > 1e-9 {
            prop_assert_eq!(p_value(there) < 0.05, excludes_0);
        }
    }

    #[test]
    fn a_ratio_holds_its_mean(a in 0_u32..=40, b in 1_u32..=40) {
        let (a, b) = (wilson(f64::from(a) / 40.0, 40.0), wilson(f64::from(b) / 40.0, 40.0));
        let of = ratio(a, b).unwrap();
        prop_assert!(0.0 <= of.low && of.low <= of.mean && of.mean <= of.high);
        // It leaves out 1 where the difference leaves out 0.
        let d = difference(a, b);
        if d.low.abs() > 1e-9 && d.high.abs() > 1e-9 {
            prop_assert_eq!(of.low > 1.0, d.low > 0.0);
            prop_assert_eq!(of.high < 1.0, d.high < 0.0);
        }
    }

    #[test]
    fn a_bootstrap_holds_its_mean_and_depends_on_its_seed_alone(
        values in prop::collection::vec(-1.0..1.0_f64, 1..40), seed: u64,
    ) {
        let strata = [&values[..], &values[..1]];
        let of = bootstrap::mean(&strata, &mut [0.0; 200], seed).unwrap();
        let (least, most) = values.iter().fold((1.0_f64, -1.0_f64), |(l, m), &v| (l.min(v), m.max(v)));
        prop_assert!(least - 1e-12 <= of.low && of.low <= of.mean);
        prop_assert!(of.mean <= of.high && of.high <= most + 1e-12);
        prop_assert_eq!(Some(of), bootstrap::mean(&strata, &mut [1.0; 200], seed));
    }
}

#[test]
fn nothing_to_resample_no_interval() {
    assert_eq!(bootstrap::mean(&[], &mut [0.0; 9], 1), None);
    assert_eq!(bootstrap::mean(&[&[0.5], &[]], &mut [0.0; 9], 1), None);
    assert_eq!(bootstrap::mean(&[&[0.5]], &mut [], 1), None);
    let one = bootstrap::mean(&[&[0.5]], &mut [0.0], 1).unwrap();
    assert_eq!((one.low, one.high), (0.5, 0.5));
}
