//! Convolutions over x, B and C of Mamba-2, and in RecurrentGemma.

use longseq_core::{
    backend::{Backend, Columns},
    batch::Sequences,
    numeric::{Real, activation::Activation},
    recurrence::causal_conv1d::{Conv, ConvDims},
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation, turned},
    weights::Drawn,
};

struct Convolution(ConvDims);

/// With and without an activation.
pub fn bench(bench: &mut Bench) {
    for (channels, activation) in [(1792, Activation::Silu), (768, Activation::Identity)] {
        let dims = ConvDims { channels, width: 4, activation, prompt_leaves_outputs: false };
        bench.operation(&Convolution(dims));
    }
}

impl Operation for Convolution {
    type Weights<W: Held> = Conv<W>;

    fn name(&self) -> String {
        let ConvDims { channels, width, activation, .. } = self.0;
        format!("causal_conv1d/{channels} x {width} {activation:?}")
    }

    fn inputs(&self) -> usize {
        self.0.channels
    }

    fn outputs(&self) -> usize {
        self.0.channels
    }

    fn state(&self) -> usize {
        self.0.state_elements()
    }

    fn as_reference(&self, state: &[f32]) -> Vec<f32> {
        turned(state, self.0.width - 1, self.0.channels)
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        let ConvDims { channels, width, .. } = self.0;
        let weight = make(Drawn::Taps { channels, width });
        Conv { weight, bias: Some(make(Drawn::Values { n: channels, mean: 0.0, spread: 1.0 })) }
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let (dims, x) = (&self.0, Columns::all(data.x, self.0.channels));
        backend.causal_conv1d(dims, sequences, x, weights, data.state, data.out)
    }
}
