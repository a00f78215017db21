//! Norms of rows, and gated ones in place.

use longseq_core::{
    backend::{Backend, Columns},
    batch::Sequences,
    numeric::{
        Real,
        norm::{GatedNormDims, NormDims},
    },
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

enum Norm {
    Rms { width: usize },
    Layer { width: usize },
    GatedRms { width: usize, groups: usize },
    GatedGroup { width: usize, groups: usize },
}

const EPSILON: f64 = 1e-5;

/// Of a residual stream, of Mamba-2's results and of RWKV-6's heads.
pub fn bench(bench: &mut Bench) {
    for norm in [
        Norm::Rms { width: 768 },
        Norm::Layer { width: 768 },
        Norm::GatedRms { width: 1536, groups: 1 },
        Norm::GatedGroup { width: 768, groups: 12 },
    ] {
        bench.operation(&norm);
    }
}

impl Norm {
    fn width(&self) -> usize {
        match *self {
            Self::Rms { width }
            | Self::Layer { width }
            | Self::GatedRms { width, .. }
            | Self::GatedGroup { width, .. } => width,
        }
    }
}

impl Operation for Norm {
    /// Weight, and bias if there is one.
    type Weights<W: Held> = Vec<W>;

    fn name(&self) -> String {
        match self {
            Self::Rms { width } => format!("rms_norm/{width}"),
            Self::Layer { width } => format!("layer_norm/{width}"),
            Self::GatedRms { width, groups } => format!("gated_rms_norm/{width} in {groups}"),
            Self::GatedGroup { width, groups } => format!("gated_group_norm/{width} in {groups}"),
        }
    }

    fn inputs(&self) -> usize {
        self.width()
    }

    fn outputs(&self) -> usize {
        self.width()
    }

    fn in_place(&self) -> bool {
        matches!(self, Self::GatedRms { .. } | Self::GatedGroup { .. })
    }

    fn weights<W: Held>(&self, make: &mut impl FnMut(Drawn) -> W) -> Self::Weights<W> {
        let mut values = |mean| make(Drawn::Values { n: self.width(), mean, spread: 0.1 });
        match self {
            Self::Rms { .. } | Self::GatedRms { .. } => vec![values(1.0)],
            Self::Layer { .. } | Self::GatedGroup { .. } => vec![values(1.0), values(0.0)],
        }
    }

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        weights: &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let (rows, epsilon, Data { x, out, .. }) = (sequences.rows(), EPSILON, data);
        match *self {
            Self::Rms { width } => {
                let dims = NormDims { rows, width, epsilon };
                backend.rms_norm(&dims, x, &weights[0], false, out)
            }
            Self::Layer { width } => {
                let dims = NormDims { rows, width, epsilon };
                backend.layer_norm(&dims, x, &weights[0], &weights[1], out)
            }
            Self::GatedRms { width, groups } => {
                let dims = GatedNormDims { rows, width, groups, epsilon };
                backend.gated_rms_norm(&dims, out, Columns::all(x, width), &weights[0])
            }
            Self::GatedGroup { width, groups } => {
                let dims = GatedNormDims { rows, width, groups, epsilon };
                let gate = Columns::all(x, width);
                backend.gated_group_norm(&dims, out, gate, &weights[0], &weights[1])
            }
        }
    }
}
