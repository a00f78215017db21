use longseq_core::backend::{Columns, LinearMap};
use longseq_core::numeric::linear::{self, LinearDims};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give};
use crate::draw::Draw;

/// y += x Wᵀ + b, W in bf16, b in f16.
#[derive(Clone, Debug)]
pub struct Linear {
    /// \[T, in\].
    pub x: [f32; TOKENS * Self::INPUTS],
    /// \[out, in\], bf16.
    pub weight: [u8; Self::OUTPUTS * Self::INPUTS * 2],
    /// \[out\], f16.
    pub bias: [u8; Self::OUTPUTS * 2],
    /// \[T, out\], what y is added to.
    pub y: [f32; TOKENS * Self::OUTPUTS],
}

impl Linear {
    /// Columns of x: two blocks of eight and a rest.
    pub const INPUTS: usize = 19;
    /// Columns of y.
    pub const OUTPUTS: usize = 4;
}

impl Operation for Linear {
    const NAME: &'static str = "linear";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers(), weight: draw.bf16(), bias: draw.f16(), y: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let (inputs, outputs) = (Self::INPUTS, Self::OUTPUTS);
        let dims = LinearDims { rows: TOKENS, inputs, outputs, accumulate: true };
        let map = linear::Linear {
            weight: Tensor::new(Dtype::Bf16, &[outputs, inputs], &self.weight)?,
            bias: Some(Tensor::new(Dtype::F16, &[outputs], &self.bias)?),
        };
        let (mut work, mut y) = ([0.0; Self::INPUTS], self.y);
        let (x, y_columns) = (Columns::all(&self.x[..], inputs), Columns::all(&mut y[..], outputs));
        Reference::new(&mut work).linear(&dims, x, &map, y_columns)?;
        give(out, &y)
    }
}
