use longseq_core::backend::TokenShift as _;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::recurrence::token_shift::{self, DdLerpDims, STREAMS};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give, sequences, state};
use crate::draw::Draw;

/// C.
pub const CHANNELS: usize = 9;
/// Rank of the data-dependent proportions.
pub const RANK: usize = 2;

/// Two streams with fixed proportions, in bf16.
#[derive(Clone, Debug)]
pub struct TokenShift {
    /// \[T, C\].
    pub x: [f32; TOKENS * CHANNELS],
    /// Two μ \[C\], bf16.
    pub proportions: [[u8; CHANNELS * 2]; 2],
    /// \[slot, C\].
    pub state: [f32; 2 * CHANNELS],
}

impl Operation for TokenShift {
    const NAME: &'static str = "token_shift";

    fn draw(draw: &mut Draw) -> Self {
        let (x, proportions) = (draw.numbers(), [draw.bf16(), draw.bf16()]);
        Self { x, proportions, state: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let [a, b] = &self.proportions;
        let mu = |bytes| Tensor::new(Dtype::Bf16, &[CHANNELS], bytes);
        let (mut work, mut y) = ([0.0; CHANNELS], [0.0; TOKENS * 2 * CHANNELS]);
        let mut slots = self.state;
        let (mu, slab) = ([mu(a)?, mu(b)?], state(&mut slots));
        Reference::new(&mut work).token_shift(
            CHANNELS,
            &sequences()?,
            &self.x,
            &mu,
            slab,
            &mut y,
        )?;
        give(out, &y)?;
        give(out, &slots)
    }
}

/// The five streams with proportions that depend on the data, weights in bf16.
#[derive(Clone, Debug)]
pub struct DdLerp {
    /// \[T, C\].
    pub x: [f32; TOKENS * CHANNELS],
    /// μₓ \[C\], bf16.
    pub mixed: [u8; CHANNELS * 2],
    /// μᶜ, each \[C\], bf16.
    pub streams: [[u8; CHANNELS * 2]; STREAMS],
    /// W₁ \[C, 5 · rank\], bf16.
    pub down: [u8; CHANNELS * STREAMS * RANK * 2],
    /// W₂ \[5, rank, C\], bf16.
    pub up: [u8; STREAMS * RANK * CHANNELS * 2],
    /// \[slot, C\].
    pub state: [f32; 2 * CHANNELS],
}

impl Operation for DdLerp {
    const NAME: &'static str = "ddlerp";

    fn draw(draw: &mut Draw) -> Self {
        Self {
            x: draw.numbers(),
            mixed: draw.bf16(),
            streams: core::array::from_fn(|_| draw.bf16()),
            down: draw.bf16(),
            up: draw.bf16(),
            state: draw.numbers(),
        }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let tensor = |shape: &[usize], bytes| Tensor::new(Dtype::Bf16, shape, bytes);
        let mut streams = [tensor(&[CHANNELS], &self.mixed)?; STREAMS];
        for (stream, bytes) in streams.iter_mut().zip(&self.streams) {
            *stream = tensor(&[CHANNELS], bytes)?;
        }
        let weights = token_shift::DdLerp {
            mixed: tensor(&[CHANNELS], &self.mixed)?,
            streams,
            down: tensor(&[CHANNELS, STREAMS * RANK], &self.down)?,
            up: tensor(&[STREAMS, RANK, CHANNELS], &self.up)?,
        };
        let dims = DdLerpDims { channels: CHANNELS, rank: RANK };
        let (mut work, mut y) = ([0.0; 64], [0.0; TOKENS * STREAMS * CHANNELS]);
        let mut slots = self.state;
        let slab = state(&mut slots);
        Reference::new(&mut work).ddlerp(&dims, &sequences()?, &self.x, &weights, slab, &mut y)?;
        give(out, &y)?;
        give(out, &slots)
    }
}
