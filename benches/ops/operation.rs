//! An operation of a model's sizes, whichever backend runs it.

use longseq_core::{backend::Backend, batch::Sequences, numeric::Real, state::StateMut};

use crate::weights::Drawn;

/// What a call reads and writes.
pub struct Data<'d, R> {
    /// \[T, [`inputs`](Operation::inputs)\].
    pub x: &'d [R],
    /// A state for each sequence.
    pub state: StateMut<'d, [R]>,
    /// \[T, [`outputs`](Operation::outputs)\].
    pub out: &'d mut [R],
}

/// What a weight can be: threads share it.
pub trait Held: Send + Sync {}

impl<W: Send + Sync> Held for W {}

/// States \[`rows`, `columns`\] made \[`columns`, `rows`\].
pub fn turned(states: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let states = states.chunks(rows * columns);
    states.flat_map(|of| (0..of.len()).map(move |i| of[i % rows * columns + i / rows])).collect()
}

/// An operation.
pub trait Operation: Sync {
    /// Its weights, made of `W`.
    type Weights<W: Held>: Held;

    /// Its name in `longseq_core::backend`, and its sizes.
    fn name(&self) -> String;

    /// How many tokens it is measured with: one as in writing, and a pass over a prompt.
    fn tokens(&self) -> &'static [usize] {
        &[1, 512]
    }

    /// Columns that it reads.
    fn inputs(&self) -> usize {
        0
    }

    /// Columns that it writes.
    fn outputs(&self) -> usize;

    /// Whether it works on what `out` holds.
    fn in_place(&self) -> bool {
        false
    }

    /// Elements of a sequence's state.
    fn state(&self) -> usize {
        0
    }

    /// A state of the CPU backend as the reference has it.
    fn as_reference(&self, state: &[f32]) -> Vec<f32> {
        state.to_vec()
    }

    /// Where in its sequence the first of so many tokens is.
    fn position(&self, _tokens: usize) -> usize {
        0
    }

    /// Multiplications and additions in products of bf16; the others are not counted.
    fn products(&self, _tokens: usize) -> f64 {
        0.0
    }

    /// Elements read and written beside weights.
    fn moved(&self, tokens: usize) -> usize {
        let written = if self.in_place() { 2 } else { 1 } * self.outputs();
        tokens * (self.inputs() + written) + 2 * self.state()
    }

    /// Its weights, each as `make` makes it.
    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W>;

    /// Runs it.
    ///
    /// # Errors
    /// The backend's.
    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error>;
}
