//! Products with packed weights: near the reference, and the same bits whatever is beside a row.

use longseq_core::backend::{Columns, LinearMap};
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::linear::{Linear, LinearDims};
use longseq_core::reference::Reference;
use longseq_cpu::{
    Cpu,
    isa::Isa,
    weight::{Compute, Pack},
};
use proptest::prelude::*;

use super::{bytes, tensor, widen};

#[derive(Clone, Debug)]
struct Case {
    dims: LinearDims,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

fn case() -> impl Strategy<Value = Case> {
    let rows = prop_oneof![1..14_usize, 40..60_usize, Just(129)];
    (rows, 1..70_usize, 1..70_usize, any::<bool>(), any::<bool>()).prop_flat_map(
        |(rows, inputs, outputs, accumulate, with_bias)| {
            let value = || prop_oneof![9 => -2.0..2.0_f32, 1 => -100.0..100.0_f32];
            let dims = LinearDims { rows, inputs, outputs, accumulate };
            let values = move |n| prop::collection::vec(value(), n);
            let bias = values(outputs).prop_map(move |bias| with_bias.then_some(bias));
            (values(rows * inputs), values(outputs * inputs), bias)
                .prop_map(move |(x, weight, bias)| Case { dims, x, weight, bias })
        },
    )
}

/// Columns before and after x and y belong to others.
const BESIDE: usize = 3;

impl Case {
    /// y, from `rows` of x, beginning with 1 where it is added to.
    fn cpu(&self, isa: Isa, compute: Compute, rows: std::ops::Range<usize>) -> Vec<f32> {
        let (weight, bias) = (bytes(&self.weight), self.bias.as_deref().map(bytes));
        let LinearDims { inputs, outputs, .. } = self.dims;
        let map = Linear {
            weight: tensor(&weight, &[outputs, inputs]),
            bias: bias.as_deref().map(|bias| tensor(bias, &[outputs])),
        };
        let map = Pack::new(compute).linear(&[&map]).expect("a packed map");
        let dims = LinearDims { rows: rows.len(), ..self.dims };
        let x: Vec<f32> = self.x.chunks(inputs).skip(rows.start).take(rows.len()).fold(
            Vec::new(),
            |mut x, row| {
                x.extend([f32::NAN; BESIDE]);
                x.extend(row);
                x
            },
        );
        let before = if dims.accumulate { 1.0 } else { f32::NAN };
        let stride = outputs + 2 * BESIDE;
        let mut out = vec![before; rows.len() * stride];
        Cpu::new(isa)
            .linear(
                &dims,
                Columns::from(&x[..], inputs + BESIDE, BESIDE),
                &map,
                Columns::from(&mut out[..], stride, BESIDE),
            )
            .expect("a product");
        for row in out.chunks(stride) {
            let beside = row[..BESIDE].iter().chain(&row[stride - BESIDE..]);
            assert!(beside.into_iter().all(|x| x.to_bits() == before.to_bits()));
        }
        out.chunks(stride).flat_map(|row| row[BESIDE..][..outputs].to_vec()).collect()
    }

    /// The same in f64.
    fn reference(&self) -> Vec<f64> {
        let (weight, bias) = (bytes(&self.weight), self.bias.as_deref().map(bytes));
        let LinearDims { rows, inputs, outputs, .. } = self.dims;
        let map = Linear {
            weight: tensor(&weight, &[outputs, inputs]),
            bias: bias.as_deref().map(|bias| tensor(bias, &[outputs])),
        };
        let mut work = vec![f64::NAN; inputs];
        let mut out = vec![1.0; rows * outputs];
        let x = widen(&self.x);
        Reference::new(&mut work)
            .linear(
                &self.dims,
                Columns::all(&x[..], inputs),
                &map,
                Columns::all(&mut out[..], outputs),
            )
            .expect("a product");
        out
    }

    /// The sum of the magnitudes that are added for each element: cancellation is the input's.
    fn magnitudes(&self) -> Vec<f64> {
        let abs = |values: &[f32]| values.iter().map(|x| x.abs()).collect();
        let (x, weight) = (abs(&self.x), abs(&self.weight));
        let dims = LinearDims { accumulate: true, ..self.dims };
        Self { dims, x, weight, bias: self.bias.as_deref().map(abs) }.reference()
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn products_are_near_the_reference(case in case()) {
        let (expected, size) = (case.reference(), case.magnitudes());
        for isa in Isa::all() {
            for (compute, bound) in [(Compute::F32, 1e-5), (Compute::Bf16, 1e-2)] {
                let found = case.cpu(isa, compute, 0..case.dims.rows);
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
                let alone = bits(&case.cpu(isa, compute, row..row + 1));
                for threads in [1, 2, 3] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let all = pool.install(|| case.cpu(isa, compute, 0..rows));
                    prop_assert_eq!(&alone, &bits(&all[row * outputs..][..outputs]));
                }
            }
        }
    }
}

/// Small whole numbers are exact in bf16, and so are their sums in f32.
#[test]
fn whole_numbers_come_out_exactly() {
    let (rows, inputs, outputs) = (29, 37, 45);
    let value = |i: usize| (i * 7 % 11) as f32 - 5.0;
    let case = Case {
        dims: LinearDims { rows, inputs, outputs, accumulate: false },
        x: (0..rows * inputs).map(value).collect(),
        weight: (0..outputs * inputs).map(|i| value(i * 3 + 1)).collect(),
        bias: Some((0..outputs).map(value).collect()),
    };
    let expected = case.reference();
    for isa in Isa::all() {
        for compute in [Compute::Exact, Compute::F32, Compute::Bf16] {
            assert_eq!(widen(&case.cpu(isa, compute, 0..rows)), expected, "{isa} {compute:?}");
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
