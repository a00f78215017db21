//! Token shift of RWKV-6, with fixed proportions and with those that depend on the data.

use longseq_core::{
    backend::Backend,
    batch::Sequences,
    numeric::Real,
    recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS},
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

struct Fixed {
    channels: usize,
    streams: usize,
}

struct Dependent(DdLerpDims);

/// As channel mix and time mix have it.
pub fn bench(bench: &mut Bench) {
    bench.operation(&Fixed { channels: 768, streams: 2 });
    bench.operation(&Dependent(DdLerpDims { channels: 768, rank: 32 }));
}

/// Proportions from 0 to 1.
const fn proportions(n: usize) -> Drawn {
    Drawn::Values { n, mean: 0.5, spread: 0.5 }
}

impl Operation for Fixed {
    type Weights<W: Held> = Vec<W>;

    fn name(&self) -> String {
        format!("token_shift/{} to {} streams", self.channels, self.streams)
    }

    fn inputs(&self) -> usize {
        self.channels
    }

    fn outputs(&self) -> usize {
        self.streams * self.channels
    }

    fn state(&self) -> usize {
        self.channels
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        (0..self.streams).map(|_| make(proportions(self.channels))).collect()
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let Data { x, state, out } = data;
        backend.token_shift(self.channels, sequences, x, weights, state, out)
    }
}

impl Operation for Dependent {
    type Weights<W: Held> = DdLerp<W>;

    fn name(&self) -> String {
        format!("ddlerp/{} by rank {}", self.0.channels, self.0.rank)
    }

    fn inputs(&self) -> usize {
        self.0.channels
    }

    fn outputs(&self) -> usize {
        STREAMS * self.0.channels
    }

    fn state(&self) -> usize {
        self.0.channels
    }

    fn products(&self, tokens: usize) -> f64 {
        4.0 * (tokens * STREAMS * self.0.rank * self.0.channels) as f64
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        let DdLerpDims { channels, rank } = self.0;
        DdLerp {
            mixed: make(proportions(channels)),
            streams: [(); STREAMS].map(|()| make(proportions(channels))),
            down: make(Drawn::Matrices { blocks: 1, inputs: channels, outputs: STREAMS * rank }),
            up: make(Drawn::Matrices { blocks: STREAMS, inputs: rank, outputs: channels }),
        }
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        backend.ddlerp(&self.0, sequences, data.x, weights, data.state, data.out)
    }
}
