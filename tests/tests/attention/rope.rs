//! Rotary embedding: what it keeps, and what of it depends on distance only.

use longseq_core::attention::rope::{rope, rope_frequencies, rope_rotation};
use longseq_core::numeric::{Real, dot::dot};
use proptest::prelude::*;

fn rotated<R: Real>(head: &[R], position: usize, rotary: usize) -> Vec<R> {
    let mut frequencies = vec![R::from_f64(f64::NAN); rotary / 2];
    let (mut cos, mut sin) = (frequencies.clone(), frequencies.clone());
    rope_frequencies(10000.0, &mut frequencies);
    rope_rotation(position, &frequencies, &mut cos, &mut sin);
    let mut head = head.to_vec();
    rope(&mut head, &cos, &sin);
    head
}

#[test]
fn pairs_are_half_the_rotated_part_apart() {
    // r = 4 of D = 6: pairs (0, 2) and (1, 3), θ = 1 and 1/100; the rest stays.
    let head = rotated(&[1.0, 0.0, 0.0, 1.0, 5.0, 6.0_f64], 3, 4);
    let expected = [3.0_f64.cos(), -(0.03_f64.sin()), 3.0_f64.sin(), 0.03_f64.cos(), 5.0, 6.0];
    for (found, expected) in head.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-15, "{head:?}");
    }
}

proptest! {
    #[test]
    fn products_depend_on_distance(
        (q, k) in (prop::collection::vec(-2.0..2.0, 8), prop::collection::vec(-2.0..2.0, 8)),
        (near, distance, shift) in (0..1000_usize, 0..1000_usize, 0..100_000_usize),
        half in 0..5_usize,
    ) {
        let at = |position: usize| -> f64 {
            let q = rotated(&q, position + distance, 2 * half);
            dot(&q, &rotated(&k, position, 2 * half))
        };
        prop_assert!((at(near) - at(near + shift)).abs() < 1e-9);
        // Rotations keep lengths.
        let turned: Vec<f64> = rotated(&q, near, 2 * half);
        prop_assert!((dot(&turned, &turned) - dot(&q, &q)).abs() < 1e-12);
    }
}

#[test]
fn single_precision_rounds_the_frequency_first() {
    // The nearest f32 to 10000^(−1/4), times 16384 in f32: what the models' own libraries turn by.
    let head = rotated(&[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0_f32], 16384, 8);
    let angle = 16384.0_f32 * 0.1_f32;
    assert!((f64::from(head[1]) - f64::from(angle).cos()).abs() < 1e-6);
    assert!((f64::from(head[5]) - f64::from(angle).sin()).abs() < 1e-6);
}

#[test]
fn a_head_that_is_too_short_is_left_alone() {
    let mut head = [1.0];
    rope(&mut head, &[0.0], &[1.0]);
    assert_eq!(head, [1.0]);
}
