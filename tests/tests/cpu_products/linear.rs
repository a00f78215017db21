//! Products with packed weights: near the reference, and the same bits whatever is beside a row.

use longseq_core::backend::{Columns, LinearMap};
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::linear::{Linear, LinearDims};
use longseq_cpu::{
    Cpu,
    isa::Isa,
    weight::{Compute, Pack},
};
use longseq_tests::products::{case, whole_numbers};
use longseq_tests::rows::{bits, bytes, widen};
use proptest::prelude::*;

use super::tensor;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn products_are_near_the_reference(case in case()) {
        let (expected, size) = (case.reference(), case.magnitudes());
        for isa in Isa::all() {
            for (compute, bound) in [(Compute::F32, 1e-5), (Compute::Bf16, 1e-2)] {
                let found = case.run(&mut Cpu::new(isa), compute, 0..case.dims.rows);
                for ((&found, expected), size) in found.iter().zip(&expected).zip(&size) {
                    let error = (f64::from(found) - expected).abs();
                    prop_assert!(error <= bound * size, "{} {:?}: {}", isa, compute, error / size);
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_others_or_on_threads(
        case in case(),
        row in any::<prop::sample::Index>(),
    ) {
        let (rows, outputs) = (case.dims.rows, case.dims.outputs);
        let row = row.index(rows);
        for isa in Isa::all() {
            for compute in [Compute::F32, Compute::Bf16] {
                let alone = bits(&case.run(&mut Cpu::new(isa), compute, row..row + 1));
                for threads in [1, 2, 3] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let all = pool.install(|| case.run(&mut Cpu::new(isa), compute, 0..rows));
                    prop_assert_eq!(&alone, &bits(&all[row * outputs..][..outputs]));
                }
            }
        }
    }
}

#[test]
fn whole_numbers_come_out_exactly() {
    let case = whole_numbers();
    let expected = case.reference();
    for isa in Isa::all() {
        for compute in [Compute::Exact, Compute::F32, Compute::Bf16] {
            let found = case.run(&mut Cpu::new(isa), compute, 0..case.dims.rows);
            assert_eq!(widen(&found), expected, "{isa} {compute:?}");
        }
    }
}

/// Maps of the same input become one with their rows in order.
#[test]
fn stacked_maps_are_their_outputs_side_by_side() {
    let [first, second] = [[1.0, 2.0], [3.0, 4.0]].map(|row| bytes(&row));
    let bias = bytes(&[10.0]);
    let maps = [
        Linear { weight: tensor(&first, &[1, 2]), bias: None },
        Linear { weight: tensor(&second, &[1, 2]), bias: Some(tensor(&bias, &[1])) },
    ];
    let map = Pack::new(Compute::Exact).linear(&[&maps[0], &maps[1]]).unwrap();
    let dims = LinearDims { rows: 1, inputs: 2, outputs: 2, accumulate: false };
    let mut out = [0.0; 2];
    let (x, y) = (Columns::all(&[5.0, 6.0][..], 2), Columns::all(&mut out[..], 2));
    Cpu::new(Isa::best()).linear(&dims, x, &map, y).unwrap();
    assert_eq!(out, [17.0, 49.0]);
    let narrow = LinearDims { inputs: 1, ..dims };
    let (x, y) = (Columns::all(&[5.0][..], 1), Columns::all(&mut out[..], 2));
    assert!(Cpu::new(Isa::best()).linear(&narrow, x, &map, y).is_err());
}
