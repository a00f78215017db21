//! Products with weights: where a model spends most of its time.

use longseq_core::{
    backend::{Backend, Columns},
    batch::Sequences,
    numeric::{
        Real,
        linear::{Linear, LinearDims},
    },
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

struct Map {
    inputs: usize,
    outputs: usize,
    /// Whether it is only run where logits are made.
    head: bool,
}

/// Queries, keys and values, the MLP's two maps, Mamba-2's first, and logits.
pub fn bench(bench: &mut Bench) {
    for (inputs, outputs) in [(768, 2304), (768, 4096), (2048, 768), (768, 3352)] {
        bench.operation(&Map { inputs, outputs, head: false });
    }
    bench.operation(&Map { inputs: 768, outputs: 32000, head: true });
}

impl Operation for Map {
    type Weights<W: Held> = Linear<W>;

    fn name(&self) -> String {
        format!("linear/{} to {}", self.inputs, self.outputs)
    }

    fn tokens(&self) -> &'static [usize] {
        if self.head { &[1] } else { &[1, 512] }
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn products(&self, tokens: usize) -> f64 {
        2.0 * (tokens * self.inputs * self.outputs) as f64
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        let Self { inputs, outputs, .. } = *self;
        Linear { weight: make(Drawn::Linear { outputs, inputs }), bias: None }
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let Self { inputs, outputs, .. } = *self;
        let dims = LinearDims { rows: sequences.rows(), inputs, outputs, accumulate: false };
        let (x, out) = (Columns::all(data.x, inputs), Columns::all(data.out, outputs));
        backend.linear(&dims, x, weights, out)
    }
}
