use longseq_core::backend::RgLru as _;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::recurrence::rg_lru::{BlockGate, RgLruDims, RgLruWeights};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give, sequences, state};
use crate::draw::Draw;

/// Griffin's recurrence, weights in bf16.
#[derive(Clone, Debug)]
pub struct RgLru {
    /// v \[T, R\].
    pub x: [f32; TOKENS * Self::DIMS.channels],
    /// Wᵢ, Wᵣ, bf16.
    pub gates: [[u8; Self::DIMS.gate_elements() * 2]; 2],
    /// bᵢ, bᵣ, bf16.
    pub biases: [[u8; Self::DIMS.channels * 2]; 2],
    /// Λ \[R\], bf16.
    pub decay: [u8; Self::DIMS.channels * 2],
    /// h \[slot, R\].
    pub state: [f32; 2 * Self::DIMS.channels],
}

impl RgLru {
    /// Twelve channels in three blocks.
    pub const DIMS: RgLruDims = RgLruDims { channels: 12, blocks: 3 };
}

impl Operation for RgLru {
    const NAME: &'static str = "rg_lru";

    fn draw(draw: &mut Draw) -> Self {
        Self {
            x: draw.numbers(),
            gates: [draw.bf16(), draw.bf16()],
            biases: [draw.bf16(), draw.bf16()],
            decay: draw.bf16(),
            state: draw.numbers(),
        }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let dims = Self::DIMS;
        let (blocks, width) = (dims.blocks, dims.block_width());
        let gate = |of: usize| -> Result<_, OperationError> {
            Ok(BlockGate {
                weight: Tensor::new(Dtype::Bf16, &[blocks, width, width], &self.gates[of])?,
                bias: Tensor::new(Dtype::Bf16, &[blocks, width], &self.biases[of])?,
            })
        };
        let weights = RgLruWeights {
            input_gate: gate(0)?,
            recurrent_gate: gate(1)?,
            decay: Tensor::new(Dtype::Bf16, &[dims.channels], &self.decay)?,
        };
        let (mut work, mut y, mut slots) = ([0.0; 64], self.x, self.state);
        let slab = state(&mut slots);
        Reference::new(&mut work).rg_lru(&dims, &sequences()?, &mut y, &weights, slab)?;
        give(out, &y)?;
        give(out, &slots)
    }
}
