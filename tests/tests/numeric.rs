//! Scalars, storage and norms against independent definitions.

use half::{bf16, f16};
use longseq_core::backend::{
    Columns, GatedLinearUnit, LayerNorm, LowRankMap, RmsNorm, SoftCap, SquaredRelu,
};
use longseq_core::numeric::Real;
use longseq_core::numeric::activation::{
    Activation, GluDims, gelu_tanh, sigmoid, silu, soft_cap, softplus, squared_relu,
};
use longseq_core::numeric::dot::dot;
use longseq_core::numeric::low_rank::{LowRank, LowRankDims};
use longseq_core::numeric::norm::{
    NormDims, gated_group_norm, gated_rms_norm, group_norm, layer_norm, rms_norm,
};
use longseq_core::numeric::softmax::{argmax, softmax};
use longseq_core::numeric::tensor::{Dtype, Tensor, TensorError};
use longseq_core::reference::Reference;
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
    assert_eq!([-2.0, 0.0, 3.0].map(squared_relu), [0.0, 0.0, 9.0]);
    assert!((soft_cap(15.0, 30.0) - 30.0 * 0.5_f64.tanh()).abs() < 1e-14);
    assert_eq!((soft_cap(1e30_f32, 30.0), soft_cap(-1e30_f32, 30.0)), (30.0, -30.0));
}

#[test]
fn gates_multiply_columns_of_wider_rows() {
    let fused = [2.0, -3.0, 1.0, 2.5, 0.5, 4.0, -1.0, 0.0];
    for (activation, f) in [
        (Activation::Identity, (|x| x) as fn(f64) -> f64),
        (Activation::Silu, silu),
        (Activation::GeluTanh, gelu_tanh),
        (Activation::Sigmoid, sigmoid),
    ] {
        let products = [2.0 * f(1.0), -3.0 * f(2.5), 0.5 * f(-1.0), 4.0 * f(0.0)];
        for (accumulate, before) in [(false, f64::NAN), (true, 10.0)] {
            let mut out = [before; 4];
            let dims = GluDims { rows: 2, width: 2, activation, accumulate };
            let (up, gate) = (Columns::from(&fused[..], 4, 0), Columns::from(&fused[..], 4, 2));
            Reference::new(&mut []).gated_linear_unit(&dims, up, gate, &mut out).unwrap();
            let base = if accumulate { before } else { 0.0 };
            assert!(max_difference(&out, &products.map(|x| base + x)) < 1e-14, "{activation:?}");
            let narrow = Columns::from(&fused[..], 4, 3);
            let up = Columns::from(&fused[..], 4, 0);
            assert!(
                Reference::new(&mut []).gated_linear_unit(&dims, up, narrow, &mut out).is_err()
            );
        }
    }
    let mut x = fused;
    Reference::new(&mut []).squared_relu(2, 2, Columns::from(&mut x[..], 4, 1)).unwrap();
    assert_eq!(x, [2.0, 0.0, 1.0, 2.5, 0.5, 16.0, 0.0, 0.0]);
    let mut logits = [60.0, 60.0];
    Reference::new(&mut []).soft_cap(1, 30.0, &mut logits).unwrap();
    assert_eq!(logits, [soft_cap(60.0, 30.0), 60.0]);
    assert!(Reference::new(&mut []).soft_cap(3, 30.0, &mut logits).is_err());
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn norms_read_their_weights() {
    let (weight, bias) = (bytes(&[0.5, -2.0]), bytes(&[3.0, 0.25]));
    let vector = |bytes| Tensor::new(Dtype::F32, &[2], bytes).unwrap();
    let (weight, bias) = (vector(&weight), vector(&bias));
    let (dims, x) = (NormDims { rows: 1, width: 2, epsilon: 1e-5 }, [1.0, -4.0]);
    let mut work = [f64::NAN; 4];
    let mut backend = Reference::new(&mut work);
    let (mut found, mut expected) = ([f64::NAN; 2], [f64::NAN; 2]);
    for (one_plus, weights) in [(false, [0.5, -2.0]), (true, [1.5, -1.0])] {
        backend.rms_norm(&dims, &x, &weight, one_plus, &mut found).unwrap();
        rms_norm(&x, &weights, 1e-5, &mut expected);
        assert_eq!(found, expected);
    }
    backend.layer_norm(&dims, &x, &weight, &bias, &mut found).unwrap();
    let mut expected = x;
    layer_norm(&mut expected, &[0.5, -2.0], &[3.0, 0.25], 1e-5);
    assert_eq!(found, expected);
    let short = Tensor::new(Dtype::F32, &[1], &[0; 4]).unwrap();
    assert!(backend.layer_norm(&dims, &x, &weight, &short, &mut found).is_err());
}

#[test]
fn low_rank_maps_are_two_products() {
    let (down, up) = (bytes(&[1.0, 0.5, -1.0, 2.0, 0.0, 0.25]), bytes(&[1.0, -1.0, 0.5, 3.0]));
    let bias = bytes(&[10.0, 20.0]);
    let map = LowRank {
        down: Tensor::new(Dtype::F32, &[3, 2], &down).unwrap(),
        up: Tensor::new(Dtype::F32, &[2, 2], &up).unwrap(),
        bias: Tensor::new(Dtype::F32, &[2], &bias).unwrap(),
    };
    let dims = LowRankDims { rows: 2, inputs: 3, rank: 2, outputs: 2 };
    // A column on either side belongs to others.
    let x = [9.0, 1.0, 2.0, 4.0, 9.0, 0.0, 0.0, 1.0];
    let mut out = [7.0; 6];
    let mut work = [f64::NAN; 4];
    Reference::new(&mut work)
        .low_rank(&dims, Columns::from(&x, 4, 1), &map, Columns::from(&mut out, 3, 1))
        .unwrap();
    let row = |m: [f64; 2]| {
        let [a, b] = m.map(f64::tanh);
        [10.0 + a + 0.5 * b, 20.0 - a + 3.0 * b]
    };
    let (first, second) = (row([-1.0, 5.5]), row([0.0, 0.25]));
    let expected = [7.0, first[0], first[1], 7.0, second[0], second[1]];
    assert!(max_difference(&out, &expected) < 1e-14, "{out:?}");
    let narrow = LowRankDims { rank: 3, ..dims };
    let (x, out) = (Columns::from(&x[..], 4, 1), Columns::from(&mut out[..], 3, 1));
    assert!(Reference::new(&mut work).low_rank(&narrow, x, &map, out).is_err());
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
            let gated: Vec<f64> =
                found.iter().zip(&x).map(|(y, g)| y * g / (1.0 + (-g).exp())).collect();
            let mut gated_norm = x.clone();
            gated_group_norm(&mut gated_norm, &x, groups, (&weight, &z), 1e-5);
            prop_assert!(max_difference(&gated_norm, &gated) < 1e-9 * size * 300.0);
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
