//! The scan of RWKV-6.

use longseq_core::{
    backend::{Backend, Columns, Wkv6Inputs},
    batch::Sequences,
    numeric::Real,
    recurrence::wkv6::Wkv6Dims,
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

struct Scan(Wkv6Dims);

/// Of 190M parameters.
pub fn bench(bench: &mut Bench) {
    bench.operation(&Scan(Wkv6Dims { heads: 12, head_dim: 64 }));
}

impl Operation for Scan {
    type Weights<W: Held> = W;

    fn name(&self) -> String {
        let Wkv6Dims { heads, head_dim } = self.0;
        format!("wkv6_scan/{heads} x {head_dim}")
    }

    fn inputs(&self) -> usize {
        4 * self.0.width()
    }

    fn outputs(&self) -> usize {
        self.0.width()
    }

    fn state(&self) -> usize {
        self.0.state_elements()
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        make(Drawn::Values { n: self.0.width(), mean: 0.0, spread: 1.0 })
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let of = |place| Columns::from(data.x, self.inputs(), place * self.0.width());
        let inputs = Wkv6Inputs { receptance: of(0), key: of(1), value: of(2), decay: of(3) };
        backend.wkv6_scan(&self.0, sequences, inputs, weights, data.state, data.out)
    }
}
