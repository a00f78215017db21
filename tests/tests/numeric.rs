//! Scalars, storage and norms against independent definitions.

use half::{bf16, f16};
use longseq_core::numeric::Real;
use longseq_core::numeric::activation::{gelu_tanh, silu, softplus, swiglu};
use longseq_core::numeric::dot::dot;
use longseq_core::numeric::norm::{gated_rms_norm, group_norm, layer_norm, rms_norm};
use longseq_core::numeric::softmax::{argmax, softmax};
use longseq_core::numeric::tensor::{Dtype, Tensor, TensorError};
use longseq_tests::golden::max_difference;
use proptest::prelude::*;

/// Decodes all 65,536 patterns of a 16-bit dtype in both precisions.
fn decode_all(dtype: Dtype) -> Vec<(f32, f64)> {
    let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    let tensor = Tensor::new(dtype, &[256, 256], &bytes).unwrap();
    let (mut single, mut double) = (vec![0.0; 65536], vec![0.0; 65536]);
    tensor.decode::<f32>(0, &mut single).unwrap();
    tensor.decode::<f64>(0, &mut double).unwrap();
    single.into_iter().zip(double).collect()
}

#[test]
fn sixteen_bit_storage_decodes_exactly() {
    for (bits, (single, double)) in (0..=u16::MAX).zip(decode_all(Dtype::Bf16)) {
        let expected = bf16::from_bits(bits);
        assert!(expected.is_nan() && single.is_nan() || expected.to_f32() == single);
        assert!(expected.is_nan() && double.is_nan() || expected.to_f64() == double);
    }
    for (bits, (single, double)) in (0..=u16::MAX).zip(decode_all(Dtype::F16)) {
        // Sign, exponent, fraction: IEEE 754 binary16, from its definition.
        let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
        let magnitude = match exponent {
            0 => fraction * 2.0_f64.powi(-24),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1.0 + fraction / 1024.0) * 2.0_f64.powi(exponent - 15),
        };
        let expected = if bits >> 15 == 1 { -magnitude } else { magnitude };
        assert!(expected.is_nan() && double.is_nan() || expected == double, "{bits:04x}");
        assert!(expected.is_nan() && single.is_nan() || expected == f64::from(single));
        assert!(expected.is_nan() || f16::from_bits(bits).to_f64() == expected);
    }
}

#[test]
fn decoding_stays_within_the_tensor() {
    let bytes: Vec<u8> = [1.5_f32, -2.0, 3.25].iter().flat_map(|x| x.to_le_bytes()).collect();
    let tensor = Tensor::new(Dtype::F32, &[3], &bytes).unwrap();
    let mut two = [0.0_f64; 2];
    tensor.decode(1, &mut two).unwrap();
    assert_eq!(two, [-2.0, 3.25]);
    assert!(tensor.decode(2, &mut two).is_err());
    assert!(tensor.decode(usize::MAX, &mut two).is_err());
    let length = |shape: &[usize]| Tensor::new(Dtype::F32, shape, &bytes).map(|_| ());
    assert!(matches!(length(&[4]), Err(TensorError::Length { expected: Some(16), found: 12 })));
    assert!(matches!(length(&[usize::MAX, 3]), Err(TensorError::Length { expected: None, .. })));
    assert!(matches!(length(&[3, 1, 1, 1, 1]), Err(TensorError::Rank(5))));
}

#[test]
fn activations_at_known_points_and_at_the_ends() {
    // PyTorch 2.15, float64.
    for (x, silu_x, softplus_x, gelu_x) in [
        (-3.0, -0.142_277_619_532_700_35, 0.048_587_351_573_742_06, -0.003_637_392_081_772_994_3),
        (-0.5, -0.188_770_334_399_072_7, 0.474_076_984_180_106_7, -0.154_285_990_174_856_06),
        (0.0, 0.0, std::f64::consts::LN_2, 0.0),
        (1.0, 0.731_058_578_630_004_9, 1.313_261_687_518_222_8, 0.841_191_990_608_276_8),
        (2.5, 2.310_354_549_946_891_4, 2.578_889_734_292_549_6, 2.484_915_733_910_001),
    ] {
        assert!((silu(x) - silu_x).abs() < 1e-12, "silu {x}: {}", silu(x));
        assert!((softplus(x) - softplus_x).abs() < 1e-12, "softplus {x}: {}", softplus(x));
        assert!((gelu_tanh(x) - gelu_x).abs() < 1e-12, "gelu {x}: {}", gelu_tanh(x));
    }
    for x in [-1e30_f32, -1e4, -200.0, 200.0, 1e4, 1e30] {
        let rectified = x.max(0.0);
        assert_eq!((silu(x), softplus(x), gelu_tanh(x)), (rectified, rectified, rectified));
    }
    let mut out = [0.0; 2];
    swiglu(&[2.0, -3.0, 1.0, 2.5], &mut out);
    assert!(max_difference(&out, &[2.0 * silu(1.0), -3.0 * silu(2.5)]) < 1e-12);
}

fn row(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    // Mostly moderate, a few outliers.
    let value = prop_oneof![9 => -3.0..3.0, 1 => -300.0..300.0];
    prop::collection::vec(value, length)
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count() as f64
}

proptest! {
    #[test]
    fn dot_is_the_sum_of_products(a in row(0..70), b in row(0..70)) {
        let products = a.iter().zip(&b).map(|(a, b)| a * b);
        let (sum, size): (f64, f64) =
            products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p.abs()));
        prop_assert!((dot(&a, &b) - sum).abs() <= 1e-14 * size);
        let single = |row: &[f64]| row.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let error = f64::from(dot(&single(&a), &single(&b))) - sum;
        prop_assert!(error.abs() <= 1e-5 * size);
    }

    #[test]
    fn softmax_is_a_distribution(row in row(1..60), shift in -1e3..1e3) {
        let mut found = row.clone();
        softmax(&mut found);
        prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let mut shifted: Vec<f64> = row.iter().map(|x| x + shift).collect();
        softmax(&mut shifted);
        prop_assert!(max_difference(&found, &shifted) < 1e-9);
        let ratio = row[0] - row[row.len() - 1];
        prop_assert!((found[0] - ratio.exp() * found[row.len() - 1]).abs() < 1e-9 * found[0].max(1e-3));
        let best = argmax(&row).unwrap();
        prop_assert!(row.iter().all(|&x| x <= row[best]) && row[..best].iter().all(|&x| x < row[best]));
    }

    #[test]
    fn norms_equal_their_definitions(x in row(12..13), weight in row(12..13), z in row(12..13)) {
        let size = 1.0 + weight.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
        for groups in [1, 3, 4] {
            let part = |i: usize| i / (12 / groups) * (12 / groups)..(i / (12 / groups) + 1) * (12 / groups);
            let gated: Vec<f64> = x.iter().zip(&z).map(|(x, z)| x * z / (1.0 + (-z).exp())).collect();
            let mut found = x.clone();
            gated_rms_norm(&mut found, &z, groups, &weight, 1e-5);
            let expected: Vec<f64> = (0..12).map(|i| {
                let square = mean(gated[part(i)].iter().map(|x| x * x));
                gated[i] / (square + 1e-5).sqrt() * weight[i]
            }).collect();
            prop_assert!(max_difference(&found, &expected) < 1e-11 * size);

            let mut found = x.clone();
            group_norm(&mut found, groups, &weight, &z, 1e-5);
            let expected: Vec<f64> = (0..12).map(|i| {
                let centre = mean(x[part(i)].iter().copied());
                let variance = mean(x[part(i)].iter().map(|x| (x - centre).powi(2)));
                (x[i] - centre) / (variance + 1e-5).sqrt() * weight[i] + z[i]
            }).collect();
            prop_assert!(max_difference(&found, &expected) < 1e-9 * size);
            if groups == 1 {
                let mut layer = x.clone();
                layer_norm(&mut layer, &weight, &z, 1e-5);
                prop_assert_eq!(layer, found);
            }
        }
        let mut found = vec![f64::NAN; 12];
        rms_norm(&x, &weight, 1e-5, &mut found);
        let square = mean(x.iter().map(|x| x * x));
        let expected: Vec<f64> =
            x.iter().zip(&weight).map(|(x, w)| x / (square + 1e-5).sqrt() * w).collect();
        prop_assert!(max_difference(&found, &expected) < 1e-11 * size);
    }
}

#[test]
fn degenerate_rows_do_not_panic() {
    softmax::<f32>(&mut []);
    assert_eq!(argmax::<f32>(&[]), None);
    assert_eq!(argmax(&[1.0, f64::NAN]), None);
    assert_eq!(argmax(&[f64::NEG_INFINITY; 2]), Some(0));
    rms_norm::<f64>(&[], &[], 1e-5, &mut []);
    for groups in [0, 3] {
        let mut x = [1.0, 2.0];
        group_norm(&mut x, groups, &[1.0; 2], &[0.0; 2], 1e-5);
        assert_eq!(x, [1.0, 2.0]);
    }
    assert_eq!(<f32 as Real>::from_count(3), 3.0);
}
