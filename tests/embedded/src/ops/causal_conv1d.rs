use longseq_core::backend::{CausalConv1d as _, Columns};
use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::recurrence::causal_conv1d::{Conv, ConvDims};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give, sequences, state};
use crate::draw::Draw;

/// A convolution followed by silu, weights in bf16.
#[derive(Clone, Debug)]
pub struct CausalConv1d {
    /// \[T, C\].
    pub x: [f32; TOKENS * Self::CHANNELS],
    /// \[C, K\], bf16.
    pub weight: [u8; Self::CHANNELS * Self::WIDTH * 2],
    /// \[C\], bf16.
    pub bias: [u8; Self::CHANNELS * 2],
    /// \[slot, C, K−1\].
    pub state: [f32; 2 * Self::CHANNELS * (Self::WIDTH - 1)],
}

impl CausalConv1d {
    /// C.
    pub const CHANNELS: usize = 6;
    /// K.
    pub const WIDTH: usize = 4;
}

impl Operation for CausalConv1d {
    const NAME: &'static str = "causal_conv1d";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers(), weight: draw.bf16(), bias: draw.bf16(), state: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let (channels, width) = (Self::CHANNELS, Self::WIDTH);
        let activation = Activation::Silu;
        let dims = ConvDims { channels, width, activation, prompt_leaves_outputs: false };
        let conv = Conv {
            weight: Tensor::new(Dtype::Bf16, &[channels, 1, width], &self.weight)?,
            bias: Some(Tensor::new(Dtype::Bf16, &[channels], &self.bias)?),
        };
        let mut slots = self.state;
        let (mut work, mut y) = ([0.0; Self::WIDTH], [0.0; TOKENS * Self::CHANNELS]);
        Reference::new(&mut work).causal_conv1d(
            &dims,
            &sequences()?,
            Columns::all(&self.x[..], channels),
            &conv,
            state(&mut slots),
            &mut y,
        )?;
        give(out, &y)?;
        give(out, &slots)
    }
}
