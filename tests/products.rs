//! Products, as every backend's tests make them.

use std::borrow::{Borrow, BorrowMut};
use std::ops::Range;

use longseq_core::backend::{Columns, LinearMap};
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::linear::{Linear, LinearDims};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;
use proptest::prelude::*;

use crate::rows::{bytes, widen};
use crate::transfer::{Put, Take, Transfer};

fn tensor<'a>(bytes: &'a [u8], shape: &[usize]) -> Tensor<'a> {
    Tensor::new(Dtype::F32, shape, bytes).expect("a tensor")
}

/// A map and its input.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its extents.
    pub dims: LinearDims,
    /// \[rows, inputs\].
    pub x: Vec<f32>,
    /// \[outputs, inputs\].
    pub weight: Vec<f32>,
    /// \[outputs\].
    pub bias: Option<Vec<f32>>,
}

/// Of odd extents and some outliers.
pub fn case() -> impl Strategy<Value = Case> {
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
    pub fn run<B>(&self, backend: &mut B, compute: Compute, rows: Range<usize>) -> Vec<f32>
    where
        B: Take + Transfer<Scalar = f32> + LinearMap,
    {
        self.run_of((backend, B::put), compute, rows).expect("a product")
    }

    /// The same of an x that `put` makes.
    ///
    /// # Errors
    /// The backend's, when nothing is written.
    pub fn run_of<B>(
        &self,
        (backend, put): (&mut B, Put<B>),
        compute: Compute,
        rows: Range<usize>,
    ) -> Result<Vec<f32>, B::Error>
    where
        B: Take + Transfer<Scalar = f32> + LinearMap,
    {
        let (weight, bias) = (bytes(&self.weight), self.bias.as_deref().map(bytes));
        let LinearDims { inputs, outputs, .. } = self.dims;
        let map = Linear {
            weight: tensor(&weight, &[outputs, inputs]),
            bias: bias.as_deref().map(|bias| tensor(bias, &[outputs])),
        };
        let map = backend.take(compute).linear(&[&map]).expect("a map");
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
        let (x, mut held) = (put(backend, &x), backend.put(&vec![before; rows.len() * stride]));
        let x = Columns::from(x.borrow(), inputs + BESIDE, BESIDE);
        let y = Columns::from(held.borrow_mut(), stride, BESIDE);
        let made = backend.linear(&dims, x, &map, y);
        let out = backend.get(&held);
        if let Err(refused) = made {
            assert!(out.iter().all(|x| x.to_bits() == before.to_bits()), "written all the same");
            return Err(refused);
        }
        for row in out.chunks(stride) {
            let beside = row[..BESIDE].iter().chain(&row[stride - BESIDE..]);
            assert!(beside.into_iter().all(|x| x.to_bits() == before.to_bits()));
        }
        Ok(out.chunks(stride).flat_map(|row| row[BESIDE..][..outputs].to_vec()).collect())
    }

    /// Some of the rows.
    #[must_use]
    pub fn only(&self, rows: &[usize]) -> Self {
        let x = rows.iter().flat_map(|row| &self.x[row * self.dims.inputs..][..self.dims.inputs]);
        let dims = LinearDims { rows: rows.len(), ..self.dims };
        Self { dims, x: x.copied().collect(), ..self.clone() }
    }

    /// The same in f64.
    pub fn reference(&self) -> Vec<f64> {
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
    pub fn magnitudes(&self) -> Vec<f64> {
        let abs = |values: &[f32]| values.iter().map(|x| x.abs()).collect();
        let (x, weight) = (abs(&self.x), abs(&self.weight));
        let dims = LinearDims { accumulate: true, ..self.dims };
        Self { dims, x, weight, bias: self.bias.as_deref().map(abs) }.reference()
    }
}

/// A map of small whole numbers, which are exact in bf16 as their sums are in f32.
pub fn whole_numbers() -> Case {
    let (rows, inputs, outputs) = (29, 37, 45);
    let value = |i: usize| (i * 7 % 11) as f32 - 5.0;
    Case {
        dims: LinearDims { rows, inputs, outputs, accumulate: false },
        x: (0..rows * inputs).map(value).collect(),
        weight: (0..outputs * inputs).map(|i| value(i * 3 + 1)).collect(),
        bias: Some((0..outputs).map(value).collect()),
    }
}
