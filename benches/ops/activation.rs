//! Gates and other functions of single elements.

use longseq_core::{
    backend::{Backend, Columns},
    batch::Sequences,
    numeric::{
        Real,
        activation::{Activation, GluDims},
    },
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

enum Function {
    /// Values and gate side by side.
    Gate {
        width: usize,
        activation: Activation,
    },
    SquaredRelu {
        width: usize,
    },
    SoftCap {
        width: usize,
    },
}

/// The MLPs of LLaMA, of RecurrentGemma and of RWKV-6, and logits.
pub fn bench(bench: &mut Bench) {
    for function in [
        Function::Gate { width: 2048, activation: Activation::Silu },
        Function::Gate { width: 2304, activation: Activation::GeluTanh },
        Function::SquaredRelu { width: 2688 },
        Function::SoftCap { width: 32000 },
    ] {
        bench.operation(&function);
    }
}

impl Operation for Function {
    type Weights<W: Held> = ();

    fn name(&self) -> String {
        match self {
            Self::Gate { width, activation } => format!("gated_linear_unit/{activation:?} {width}"),
            Self::SquaredRelu { width } => format!("squared_relu/{width}"),
            Self::SoftCap { width } => format!("soft_cap/{width}"),
        }
    }

    fn tokens(&self) -> &'static [usize] {
        if matches!(self, Self::SoftCap { .. }) { &[1] } else { &[1, 512] }
    }

    fn inputs(&self) -> usize {
        if let Self::Gate { width, .. } = self { 2 * width } else { 0 }
    }

    fn outputs(&self) -> usize {
        match *self {
            Self::Gate { width, .. } | Self::SquaredRelu { width } | Self::SoftCap { width } => {
                width
            }
        }
    }

    fn in_place(&self) -> bool {
        !matches!(self, Self::Gate { .. })
    }

    fn weights<W: Held>(&self, _: &mut impl FnMut(Drawn) -> W) {}

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        (): &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let (rows, Data { x, out, .. }) = (sequences.rows(), data);
        match *self {
            Self::Gate { width, activation } => {
                let dims = GluDims { rows, width, activation, accumulate: false };
                let column = |offset| Columns::from(x, 2 * width, offset);
                backend.gated_linear_unit(&dims, column(0), column(width), out)
            }
            Self::SquaredRelu { width } => {
                backend.squared_relu(rows, width, Columns::all(out, width))
            }
            Self::SoftCap { width } => backend.soft_cap(rows * width, 30.0, out),
        }
    }
}
