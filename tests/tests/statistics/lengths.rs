//! Middle-loss, extrapolation ratio and effective length.

use longseq_core::statistics::{
    effective_length::{RULER_THRESHOLD, effective_length, relative_effective_length},
    extrapolation::extrapolation_ratio,
    middle_loss::middle_loss,
    wilson,
};
use proptest::prelude::*;

#[test]
fn the_middle_is_compared_with_the_ends() {
    let [full, half] = [wilson(0.9, 100.0), wilson(0.5, 100.0)];
    let loss = middle_loss(&[full, full], &[half, half, half]).unwrap();
    assert!((loss.mean - 0.4).abs() < 1e-12 && loss.low > 0.25 && loss.high < 0.5, "{loss:?}");
    assert!(middle_loss(&[half], &[full]).unwrap().high < 0.0);
    assert_eq!(middle_loss(&[], &[half]), None);
    assert_eq!(middle_loss(&[half], &[]), None);
}

#[test]
fn what_is_kept_past_the_training_length() {
    let kept = extrapolation_ratio(wilson(0.2, 250.0), wilson(0.8, 250.0)).unwrap();
    assert!((kept.mean - 0.25).abs() < 1e-12 && kept.low > 0.18 && kept.high < 0.33, "{kept:?}");
    assert_eq!(extrapolation_ratio(wilson(0.2, 250.0), wilson(0.0, 250.0)), None);
}

#[test]
fn a_model_works_up_to_its_effective_length() {
    let scores = [(4096, 0.2), (512, 0.9), (1024, RULER_THRESHOLD), (2048, 0.5)];
    assert_eq!(effective_length(&scores, RULER_THRESHOLD), Some(1024));
    assert_eq!(effective_length(&scores, 0.95), None);
    assert_eq!(relative_effective_length(&scores, 512, 0.5), Some(2048));
    assert_eq!(relative_effective_length(&scores, 256, 0.5), None);
    assert_eq!(relative_effective_length(&[(512, 0.0)], 512, 0.5), None);
}

proptest! {
    #[test]
    fn a_higher_threshold_is_never_passed_further(
        scores in prop::collection::vec((1_usize..9, 0.0..=1.0_f64), 0..8),
        low in 0.0..=1.0_f64, more in 0.0..=1.0_f64,
    ) {
        prop_assert!(effective_length(&scores, low + more) <= effective_length(&scores, low));
    }
}
