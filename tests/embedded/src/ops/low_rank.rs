use longseq_core::backend::{Columns, LowRankMap};
use longseq_core::numeric::low_rank::{self, LowRankDims};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give};
use crate::draw::Draw;

/// y = b + tanh(x W₁) W₂, weights in bf16.
#[derive(Clone, Debug)]
pub struct LowRank {
    /// \[T, in\].
    pub x: [f32; TOKENS * Self::INPUTS],
    /// W₁ \[in, rank\], bf16.
    pub down: [u8; Self::INPUTS * Self::RANK * 2],
    /// W₂ \[rank, out\], bf16.
    pub up: [u8; Self::RANK * Self::OUTPUTS * 2],
    /// b \[out\], bf16.
    pub bias: [u8; Self::OUTPUTS * 2],
}

impl LowRank {
    /// Columns of x.
    pub const INPUTS: usize = 11;
    /// Columns between.
    pub const RANK: usize = 3;
    /// Columns of y.
    pub const OUTPUTS: usize = 7;
}

impl Operation for LowRank {
    const NAME: &'static str = "low_rank";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers(), down: draw.bf16(), up: draw.bf16(), bias: draw.bf16() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let (inputs, rank, outputs) = (Self::INPUTS, Self::RANK, Self::OUTPUTS);
        let dims = LowRankDims { rows: TOKENS, inputs, rank, outputs };
        let map = low_rank::LowRank {
            down: Tensor::new(Dtype::Bf16, &[inputs, rank], &self.down)?,
            up: Tensor::new(Dtype::Bf16, &[rank, outputs], &self.up)?,
            bias: Tensor::new(Dtype::Bf16, &[outputs], &self.bias)?,
        };
        let (mut work, mut y) = ([0.0; 16], [0.0; TOKENS * Self::OUTPUTS]);
        let (x, y_columns) = (Columns::all(&self.x[..], inputs), Columns::all(&mut y[..], outputs));
        Reference::new(&mut work).low_rank(&dims, x, &map, y_columns)?;
        give(out, &y)
    }
}
