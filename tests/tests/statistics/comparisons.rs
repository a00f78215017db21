//! Two models on the same samples, and many pairs of them.

use longseq_core::statistics::{holm, sign_flip};
use proptest::prelude::*;
use serde::Deserialize;

use super::{expected, uniform};

#[derive(Deserialize)]
struct SignFlip {
    differences: Vec<f64>,
    p: f64,
}

#[derive(Deserialize)]
struct McNemar {
    better: usize,
    worse: usize,
    same: usize,
    p: f64,
}

#[derive(Deserialize)]
struct Holm {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[test]
fn sign_flips_give_scipys_p_values() {
    let [few, many]: [SignFlip; 2] = expected("sign_flip");
    let p = |of: &SignFlip| sign_flip::p_value(&[&of.differences], 3).unwrap();
    assert!((p(&few) - few.p).abs() < 1e-12, "{} {}", p(&few), few.p);
    // Both are drawn: three standard errors of 10,000 draws.
    let error = 3.0 * (many.p * (1.0 - many.p) / 1e4).sqrt();
    assert!((p(&many) - many.p).abs() < error, "{} {}", p(&many), many.p);
}

#[test]
fn of_0_and_1_it_is_mcnemars_exact_test() {
    for McNemar { better, worse, same, p } in expected::<Vec<McNemar>>("exact_mcnemar") {
        let differences = [vec![1.0; better], vec![-1.0; worse], vec![0.0; same]].concat();
        let ours = sign_flip::p_value(&[&differences], 0).unwrap();
        assert!((ours - p).abs() < 1e-12, "{better} {worse}: {ours} {p}");
    }
}

#[test]
fn equal_models_are_told_apart_in_about_5_of_100_cases() {
    let mut state = 5;
    let trials = 400;
    let told_apart = (0..trials).filter(|_| {
        let mut difference = || uniform(&mut state).round() - uniform(&mut state).round();
        let strata: Vec<Vec<f64>> =
            (0..3).map(|_| (0..30).map(|_| difference()).collect()).collect();
        let strata: Vec<&[f64]> = strata.iter().map(Vec::as_slice).collect();
        sign_flip::p_value(&strata, 1).unwrap() < 0.05
    });
    let share = told_apart.count() as f64 / f64::from(trials);
    assert!((0.02..0.08).contains(&share), "{share}");
}

#[test]
fn holm_is_that_of_statsmodels() {
    for Holm { p, adjusted } in expected::<Vec<Holm>>("holm") {
        let mut ours = vec![0.0; p.len()];
        holm::adjust(&p, &mut ours);
        let near = ours.iter().zip(&adjusted).all(|(ours, theirs)| (ours - theirs).abs() < 1e-12);
        assert!(near, "{p:?}: {ours:?} {adjusted:?}");
    }
}

proptest! {
    #[test]
    fn a_p_value_is_the_same_for_both_directions(
        values in prop::collection::vec((-4_i32..=4).prop_map(|v| f64::from(v) / 4.0), 1..13),
    ) {
        let turned: Vec<f64> = values.iter().map(|value| -value).collect();
        let p = sign_flip::p_value(&[&values], 1).unwrap();
        prop_assert!(p > 0.0 && p <= 1.0);
        prop_assert_eq!(Some(p), sign_flip::p_value(&[&turned], 1));
    }

    #[test]
    fn holm_keeps_the_order_and_makes_nothing_smaller(
        p in prop::collection::vec(0.0..=1.0_f64, 1..12),
    ) {
        let mut adjusted = vec![0.0; p.len()];
        holm::adjust(&p, &mut adjusted);
        for i in 0..p.len() {
            prop_assert!(p[i] <= adjusted[i] && adjusted[i] <= (p[i] * p.len() as f64).max(adjusted[i]));
            prop_assert!(adjusted[i] <= 1.0);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
            }
        }
    }
}
