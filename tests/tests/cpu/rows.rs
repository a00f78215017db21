//! Norms, activations and low-rank maps.

use longseq_core::backend::{
    Columns, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, LayerNorm, LowRankMap, RmsNorm,
    SoftCap, SquaredRelu,
};
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::activation::{Activation, GluDims};
use longseq_core::numeric::low_rank::{LowRank, LowRankDims};
use longseq_core::numeric::norm::{GatedNormDims, NormDims};
use longseq_core::reference::Reference;
use longseq_cpu::{
    Cpu,
    isa::Isa,
    weight::{Compute, Pack, Weight},
};
use proptest::prelude::*;

use super::{bytes, relative_rms, tensor, widen};

const ROWS: usize = 5;
const WIDTH: usize = 36;
const EPSILON: f64 = 1e-5;

/// Each operation in f32 on `isa` and in f64.
fn both(
    isa: Isa,
    x: &[f32],
    gate: &[f32],
    vectors: &[f32],
) -> Vec<(&'static str, Vec<f32>, Vec<f64>)> {
    let (w, b) = vectors.split_at(WIDTH);
    let (stored_w, stored_b) = (bytes(w), bytes(b));
    let (exact_w, exact_b) = (tensor(&stored_w, &[WIDTH]), tensor(&stored_b, &[WIDTH]));
    let (fast_w, fast_b) = (Weight::Values(w.to_vec()), Weight::Values(b.to_vec()));
    let (wide_x, wide_gate) = (widen(x), widen(gate));
    let (columns, wide_columns) = (Columns::all(gate, WIDTH), Columns::all(&wide_gate[..], WIDTH));
    let mut work = [f64::NAN; 2 * WIDTH];
    let mut exact = Reference::new(&mut work);
    let mut fast = Cpu::new(isa);
    let dims = NormDims { rows: ROWS, width: WIDTH, epsilon: EPSILON };
    let gated = GatedNormDims { rows: ROWS, width: WIDTH, groups: 4, epsilon: EPSILON };
    let mut all = vec![];
    let poison = || (vec![f32::NAN; ROWS * WIDTH], vec![f64::NAN; ROWS * WIDTH]);
    for one_plus in [false, true] {
        let (mut found, mut expected) = poison();
        fast.rms_norm(&dims, x, &fast_w, one_plus, &mut found).unwrap();
        exact.rms_norm(&dims, &wide_x, &exact_w, one_plus, &mut expected).unwrap();
        all.push(("rms_norm", found, expected));
    }
    let (mut found, mut expected) = poison();
    fast.layer_norm(&dims, x, &fast_w, &fast_b, &mut found).unwrap();
    exact.layer_norm(&dims, &wide_x, &exact_w, &exact_b, &mut expected).unwrap();
    all.push(("layer_norm", found, expected));
    let (mut found, mut expected) = (x.to_vec(), wide_x.clone());
    fast.gated_rms_norm(&gated, &mut found, columns, &fast_w).unwrap();
    exact.gated_rms_norm(&gated, &mut expected, wide_columns, &exact_w).unwrap();
    all.push(("gated_rms_norm", found, expected));
    let (mut found, mut expected) = (x.to_vec(), wide_x.clone());
    let (columns, wide_columns) = (Columns::all(gate, WIDTH), Columns::all(&wide_gate[..], WIDTH));
    fast.gated_group_norm(&gated, &mut found, columns, &fast_w, &fast_b).unwrap();
    exact.gated_group_norm(&gated, &mut expected, wide_columns, &exact_w, &exact_b).unwrap();
    all.push(("gated_group_norm", found, expected));
    for activation in
        [Activation::Identity, Activation::Silu, Activation::GeluTanh, Activation::Sigmoid]
    {
        for accumulate in [false, true] {
            let dims = GluDims { rows: ROWS, width: WIDTH, activation, accumulate };
            let (mut found, mut expected) = (x.to_vec(), wide_x.clone());
            let (up, by) = (Columns::all(x, WIDTH), Columns::all(gate, WIDTH));
            fast.gated_linear_unit(&dims, up, by, &mut found).unwrap();
            let (up, by) = (Columns::all(&wide_x[..], WIDTH), Columns::all(&wide_gate[..], WIDTH));
            exact.gated_linear_unit(&dims, up, by, &mut expected).unwrap();
            all.push(("gated_linear_unit", found, expected));
        }
    }
    let (mut found, mut expected) = (x.to_vec(), wide_x.clone());
    fast.squared_relu(ROWS, WIDTH - 2, Columns::from(&mut found[..], WIDTH, 1)).unwrap();
    exact.squared_relu(ROWS, WIDTH - 2, Columns::from(&mut expected[..], WIDTH, 1)).unwrap();
    all.push(("squared_relu", found, expected));
    let (mut found, mut expected) = (x.to_vec(), wide_x.clone());
    fast.soft_cap(ROWS * WIDTH - 3, 30.0, &mut found).unwrap();
    exact.soft_cap(ROWS * WIDTH - 3, 30.0, &mut expected).unwrap();
    all.push(("soft_cap", found, expected));
    all
}

fn values(count: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(prop_oneof![9 => -3.0..3.0_f32, 1 => -100.0..100.0_f32], count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn operations_are_near_the_reference(
        x in values(ROWS * WIDTH),
        gate in values(ROWS * WIDTH),
        vectors in values(2 * WIDTH),
    ) {
        for isa in Isa::all() {
            for (name, found, expected) in both(isa, &x, &gate, &vectors) {
                let error = relative_rms(&found, &expected);
                prop_assert!(error <= 1e-5, "{} on {}: {:e}", name, isa, error);
            }
        }
    }

    #[test]
    fn low_rank_maps_are_near_the_reference(
        x in prop::collection::vec(-1.0..1.0_f32, 7 * 6),
        weights in prop::collection::vec(-1.0..1.0_f32, 6 * 3 + 3 * 5 + 5),
    ) {
        let (down, rest) = weights.split_at(18);
        let (up, bias) = rest.split_at(15);
        let [down, up, bias] = [down, up, bias].map(bytes);
        let stored = LowRank {
            down: tensor(&down, &[6, 3]),
            up: tensor(&up, &[3, 5]),
            bias: tensor(&bias, &[5]),
        };
        let dims = LowRankDims { rows: 7, inputs: 6, rank: 3, outputs: 5 };
        let (wide, mut work) = (widen(&x), [f64::NAN; 16]);
        let mut expected = [f64::NAN; 35];
        let out = Columns::all(&mut expected[..], 5);
        Reference::new(&mut work)
            .low_rank(&dims, Columns::all(&wide[..], 6), &stored, out)
            .unwrap();
        for isa in Isa::all() {
            for (compute, bound) in [(Compute::F32, 1e-5), (Compute::Bf16, 1e-2)] {
                let mut pack = Pack(compute);
                let map = LowRank {
                    down: pack.matrices(&stored.down, 1).unwrap(),
                    up: pack.matrices(&stored.up, 1).unwrap(),
                    bias: pack.values(&stored.bias).unwrap(),
                };
                let mut found = [f32::NAN; 35];
                let out = Columns::all(&mut found[..], 5);
                Cpu::new(isa).low_rank(&dims, Columns::all(&x[..], 6), &map, out).unwrap();
                let error = relative_rms(&found, &expected);
                prop_assert!(error <= bound, "{} {:?}: {:e}", isa, compute, error);
            }
        }
    }
}
