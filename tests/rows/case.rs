//! Every operation against `Reference<f64>`.

use std::fmt::Display;

use longseq_core::backend::Backend;
use longseq_core::numeric::compute::Compute;
use longseq_core::reference::Reference;
use longseq_cuda::{Cuda, runtime::Runtime};
use proptest::prelude::*;

use super::operation::{Operation, run, run_to, wide_width};
use super::{RANK, Weights, bytes, widen};
use crate::transfer::{Put, Take, Transfer, put_bf16, rounded};

/// Operands of every operation.
#[derive(Clone, Debug)]
pub struct Case {
    width: usize,
    /// Groups of the gated norms.
    pub groups: usize,
    x: Vec<f32>,
    wide: Vec<f32>,
    weights: Vec<f32>,
}

/// Of odd widths and some outliers.
pub fn case() -> impl Strategy<Value = Case> {
    let extents = prop::sample::select(vec![
        (1, 1),
        (2, 1),
        (7, 7),
        (32, 4),
        (63, 7),
        (64, 1),
        (129, 3),
        (256, 2),
    ]);
    case_of(extents, prop::sample::select(vec![1, 2, 7, 13, 63]))
}

/// Of so many channels in groups, and so many rows, with some outliers.
pub fn case_of(
    extents: impl Strategy<Value = (usize, usize)>,
    rows: impl Strategy<Value = usize>,
) -> impl Strategy<Value = Case> {
    (extents, rows).prop_flat_map(|((width, groups), rows)| {
        // Mostly moderate, a few outliers.
        let value = || prop_oneof![19 => -3.0..3.0_f32, 1 => -300.0..300.0_f32];
        let values = |n| prop::collection::vec(value(), n);
        let weights = prop::collection::vec(-2.0..2.0_f32, Weights::elements(width));
        (values(rows * width), values(rows * wide_width(width)), weights).prop_map(
            move |(x, wide, mut weights)| {
                // x W₁ is to be where tanh bends, though x has outliers.
                let down = 2 * width..(2 + RANK) * width;
                weights[down].iter_mut().for_each(|w| *w *= 3e-3);
                Case { width, groups, x, wide, weights }
            },
        )
    })
}

fn rms(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    (values.map(|x| x * x).sum::<f64>() / count).sqrt()
}

impl Case {
    /// How many times as large as its deviation from the mean a group of x is, in the worst case: so much of the
    /// digits centring loses, whoever does it.
    fn cancellation(&self, groups: usize) -> f64 {
        let size = self.width / groups;
        let worst = widen(&self.x)
            .chunks(size)
            .map(|group| {
                let mean = group.iter().sum::<f64>() / size as f64;
                let deviation = rms(group.iter().map(|x| x - mean)).max(1e-5_f64.sqrt());
                rms(group.iter().copied()) / deviation
            })
            .fold(1.0, f64::max);
        // One value is its mean, exactly.
        if size == 1 { 1.0 } else { worst }
    }

    /// The relative error allowed in f32, and what it is relative to beside the result.
    fn bound(&self, operation: Operation) -> (f64, f64) {
        match operation {
            Operation::LayerNorm => (1e-5 * self.cancellation(1), 0.0),
            Operation::GatedGroupNorm { groups } => (1e-5 * self.cancellation(groups), 0.0),
            Operation::Gate { accumulate: true, .. } => (1e-5, rms(widen(&self.x).into_iter())),
            Operation::LowRank => (1e-5, rms(self.unsigned().expected(operation).into_iter())),
            _ => (1e-5, 0.0),
        }
    }

    /// The case with the magnitudes of its values.
    fn unsigned(&self) -> Self {
        let absolute = |values: &[f32]| values.iter().map(|x| x.abs()).collect();
        let Self { width, groups, .. } = *self;
        let [x, wide, weights] = [&self.x, &self.wide, &self.weights].map(|of| absolute(of));
        Self { width, groups, x, wide, weights }
    }

    /// The exact result.
    fn expected(&self, operation: Operation) -> Vec<f64> {
        let stored = bytes(&self.weights);
        let mut work = vec![f64::NAN; 2 * self.width + 2 * RANK];
        let (x, wide) = (widen(&self.x), widen(&self.wide));
        let weights = Weights::new(self.width, &stored);
        run(&mut Reference::new(&mut work), operation, &weights, (&x, &wide))
    }

    /// Holds a backend's result to the exact one.
    ///
    /// # Errors
    /// They differ by more than the bound; `name` says whose result it is.
    pub fn check<B>(
        &self,
        (name, backend): (&dyn Display, &mut B),
        operation: Operation,
        compute: Compute,
    ) -> Result<(), TestCaseError>
    where
        B: Backend + Take + Transfer<Scalar = f32>,
    {
        let (bound, beside) = self.bound(operation);
        let bound = if compute == Compute::Bf16 { 5e-3 } else { bound };
        let found = self.run((backend, B::put), operation, compute);
        self.near((name, &found), operation, (bound, beside))
    }

    /// Holds the result of an operation whose output `put_bf16` rounds to bf16, what it works on in place included.
    ///
    /// # Errors
    /// They differ by more than 5e-3, where a mean is subtracted as many times that as there is less left of a group.
    pub fn check_bf16<R: Runtime>(
        &self,
        (name, cuda): (&dyn Display, &mut Cuda<R>),
        operation: Operation,
    ) -> Result<(), TestCaseError> {
        let lost = match operation {
            Operation::GatedGroupNorm { groups } => self.cancellation(groups),
            _ => 1.0,
        };
        let found = self.run((cuda, put_bf16), operation, Compute::F32);
        self.near((name, &found), operation, (5e-3 * lost, 0.0))
    }

    /// What a backend makes of it in an output that `put` makes.
    pub fn run<B>(
        &self,
        (backend, put): (&mut B, Put<B>),
        operation: Operation,
        compute: Compute,
    ) -> Vec<f32>
    where
        B: Backend + Take + Transfer<Scalar = f32>,
    {
        let stored = bytes(&self.weights);
        let weights = Weights::new(self.width, &stored).taken(backend, compute);
        run_to(backend, (operation, put), &weights, (&self.x, &self.wide))
    }

    /// The case with an x of bf16.
    #[must_use]
    pub fn rounded(&self) -> Self {
        Self { x: rounded(&self.x), ..self.clone() }
    }

    fn near(
        &self,
        (name, found): (&dyn Display, &[f32]),
        operation: Operation,
        (bound, beside): (f64, f64),
    ) -> Result<(), TestCaseError> {
        let expected = self.expected(operation);
        prop_assert_eq!(found.len(), expected.len());
        let error = rms(found.iter().zip(&expected).map(|(&a, b)| f64::from(a) - b));
        // Near the end of f32 digits are lost.
        let size = rms(expected.iter().copied()).max(beside).max(1e-20);
        prop_assert!(error <= bound * size, "{operation:?} on {name}: {:e}", error / size);
        Ok(())
    }
}
