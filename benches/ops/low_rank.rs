//! The decay of RWKV-6.

use longseq_core::{
    backend::{Backend, Columns},
    batch::Sequences,
    numeric::{
        Real,
        low_rank::{LowRank, LowRankDims},
    },
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

struct Map {
    inputs: usize,
    rank: usize,
    outputs: usize,
}

/// As RWKV-6 has it.
pub fn bench(bench: &mut Bench) {
    bench.operation(&Map { inputs: 768, rank: 64, outputs: 768 });
}

impl Operation for Map {
    type Weights<W: Held> = LowRank<W>;

    fn name(&self) -> String {
        format!("low_rank/{} to {} to {}", self.inputs, self.rank, self.outputs)
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn products(&self, tokens: usize) -> f64 {
        2.0 * (tokens * self.rank * (self.inputs + self.outputs)) as f64
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        let Self { inputs, rank, outputs } = *self;
        LowRank {
            down: make(Drawn::Matrices { blocks: 1, inputs, outputs: rank }),
            up: make(Drawn::Matrices { blocks: 1, inputs: rank, outputs }),
            bias: make(Drawn::Values { n: outputs, mean: 0.0, spread: 1.0 }),
        }
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let Self { inputs, rank, outputs } = *self;
        let dims = LowRankDims { rows: sequences.rows(), inputs, rank, outputs };
        let (x, out) = (Columns::all(data.x, inputs), Columns::all(data.out, outputs));
        backend.low_rank(&dims, x, weights, out)
    }
}
