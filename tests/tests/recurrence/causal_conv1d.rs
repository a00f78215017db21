//! The convolution against its sum, whole and split.

use longseq_core::numeric::activation::Activation;
use longseq_core::recurrence::causal_conv1d::{ConvDims, causal_conv1d_step, keep_outputs};
use proptest::prelude::*;

/// y_t = b + Σⱼ w_j x_{t−K+1+j}, straight from the definition.
fn definition(x: &[f64], weight: &[f64], bias: f64) -> Vec<f64> {
    let at = |t: usize, j: usize| (t + j + 1).checked_sub(weight.len()).map_or(0.0, |t| x[t]);
    let sum = |t| weight.iter().enumerate().map(|(j, w)| w * at(t, j)).sum::<f64>();
    (0..x.len()).map(|t| bias + sum(t)).collect()
}

proptest! {
    #[test]
    fn steps_equal_the_sum(
        x in prop::collection::vec(-2.0..2.0, 1..40),
        weight in prop::collection::vec(-1.0..1.0, 1..7),
        bias in -1.0..1.0,
    ) {
        let mut state = vec![0.0; weight.len() - 1];
        let step = |&x| causal_conv1d_step(x, &weight, bias, &mut state);
        let found: Vec<f64> = x.iter().map(step).collect();
        for (found, expected) in found.iter().zip(definition(&x, &weight, bias)) {
            prop_assert!((found - expected).abs() < 1e-14);
        }
        // What is carried on are the newest inputs, oldest first, after zeros.
        let mut inputs = vec![0.0; weight.len() - 1];
        inputs.extend(&x);
        prop_assert_eq!(&state, &inputs[x.len()..]);
    }
}

#[test]
fn the_last_outputs_are_kept_where_asked() {
    let mut state = [f32::NAN; 3];
    keep_outputs([1.0, 2.0, 3.0, 4.0].into_iter(), &mut state);
    assert_eq!(state, [2.0, 3.0, 4.0]);
    keep_outputs([5.0].into_iter(), &mut state);
    assert_eq!(state, [0.0, 0.0, 5.0]);
}

#[test]
fn shapes_are_checked() {
    let activation = Activation::Silu;
    let dims = ConvDims { channels: 3, width: 4, activation, prompt_leaves_outputs: false };
    assert_eq!(dims.check(12, Some(3), 9), Ok(()));
    assert!(dims.check(11, Some(3), 9).is_err());
    assert!(dims.check(12, Some(4), 9).is_err());
    assert!(dims.check(12, None, 8).is_err());
    assert!(ConvDims { width: 0, ..dims }.check(0, None, 0).is_err());
}
