//! The scan of Mamba-2.

use longseq_core::{
    backend::{Backend, Columns},
    batch::Sequences,
    numeric::Real,
    recurrence::ssd::{SsdDims, SsdHeads},
};
use longseq_cpu::GRID;

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation, turned},
    weights::Drawn,
};

struct Scan(SsdDims);

/// Of 130M parameters.
pub fn bench(bench: &mut Bench) {
    bench.operation(&Scan(SsdDims { heads: 24, head_dim: 64, state: 128, groups: 1 }));
}

impl Operation for Scan {
    type Weights<W: Held> = SsdHeads<W>;

    fn name(&self) -> String {
        let SsdDims { heads, head_dim, state, .. } = self.0;
        format!("ssd_scan/{heads} x {head_dim} x {state}")
    }

    fn inputs(&self) -> usize {
        self.0.xbc_width() + self.0.heads
    }

    fn outputs(&self) -> usize {
        self.0.inner()
    }

    fn state(&self) -> usize {
        self.0.state_elements()
    }

    /// The backend keeps heads as \[N, P\], the reference as \[P, N\].
    fn as_reference(&self, state: &[f32]) -> Vec<f32> {
        let SsdDims { head_dim: p, state: n, .. } = self.0;
        turned(state, n, p)
    }

    /// Of whole chunks with the state, C S and xᵀ B. Those within a chunk depend on how long one is.
    fn products(&self, tokens: usize) -> f64 {
        4.0 * (tokens / GRID * GRID * self.0.state_elements()) as f64
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        let mut values = |mean| make(Drawn::Values { n: self.0.heads, mean, spread: 1.0 });
        SsdHeads { dt_bias: values(-4.0), a_log: values(1.0), d: values(1.0) }
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let (xbc, dt) = data.x.split_at(sequences.rows() * self.0.xbc_width());
        let inputs = (xbc, Columns::all(dt, self.0.heads));
        backend.ssd_scan(&self.0, sequences, inputs, weights, data.state, data.out)
    }
}
