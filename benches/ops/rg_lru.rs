//! The recurrence of RecurrentGemma, its gates included.

use longseq_core::{
    backend::Backend,
    batch::Sequences,
    numeric::Real,
    recurrence::rg_lru::{BlockGate, RgLruDims, RgLruWeights},
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

struct Unit(RgLruDims);

/// Of 130M parameters.
pub fn bench(bench: &mut Bench) {
    bench.operation(&Unit(RgLruDims { channels: 768, blocks: 6 }));
}

impl Operation for Unit {
    type Weights<W: Held> = RgLruWeights<W>;

    fn name(&self) -> String {
        format!("rg_lru/{} in {}", self.0.channels, self.0.blocks)
    }

    fn outputs(&self) -> usize {
        self.0.channels
    }

    fn in_place(&self) -> bool {
        true
    }

    fn state(&self) -> usize {
        self.0.channels
    }

    /// Of both gates.
    fn products(&self, tokens: usize) -> f64 {
        4.0 * (tokens * self.0.gate_elements()) as f64
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        let (RgLruDims { channels: n, blocks }, width) = (self.0, self.0.block_width());
        let mut gate = || BlockGate {
            weight: make(Drawn::Matrices { blocks, inputs: width, outputs: width }),
            bias: make(Drawn::Values { n, mean: 0.0, spread: 1.0 }),
        };
        let (input_gate, recurrent_gate) = (gate(), gate());
        let decay = make(Drawn::Values { n, mean: -4.0, spread: 4.0 });
        RgLruWeights { input_gate, recurrent_gate, decay }
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        backend.rg_lru(&self.0, sequences, data.out, weights, data.state)
    }
}
