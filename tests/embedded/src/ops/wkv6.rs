use longseq_core::backend::{Columns, Wkv6Inputs, Wkv6Scan};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give, sequences, state};
use crate::draw::Draw;

const WIDTH: usize = Wkv6::DIMS.width();

/// RWKV-6's recurrence, u in bf16.
#[derive(Clone, Debug)]
pub struct Wkv6 {
    /// r, k, v, d, each \[T, H, K\].
    pub inputs: [[f32; TOKENS * WIDTH]; 4],
    /// u \[H, K\], bf16.
    pub bonus: [u8; WIDTH * 2],
    /// S \[slot, H, K, V\].
    pub state: [f32; 2 * Self::DIMS.state_elements()],
}

impl Wkv6 {
    /// Two heads of five channels.
    pub const DIMS: Wkv6Dims = Wkv6Dims { heads: 2, head_dim: 5 };
}

impl Operation for Wkv6 {
    const NAME: &'static str = "wkv6_scan";

    fn draw(draw: &mut Draw) -> Self {
        let inputs = core::array::from_fn(|_| draw.numbers());
        Self { inputs, bonus: draw.bf16(), state: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let columns = |of: usize| Columns::all(&self.inputs[of][..], WIDTH);
        let inputs = Wkv6Inputs {
            receptance: columns(0),
            key: columns(1),
            value: columns(2),
            decay: columns(3),
        };
        let bonus =
            Tensor::new(Dtype::Bf16, &[Self::DIMS.heads, Self::DIMS.head_dim], &self.bonus)?;
        let (mut work, mut y, mut slots) = ([0.0; WIDTH], [0.0; TOKENS * WIDTH], self.state);
        let slab = state(&mut slots);
        Reference::new(&mut work).wkv6_scan(
            &Self::DIMS,
            &sequences()?,
            inputs,
            &bonus,
            slab,
            &mut y,
        )?;
        give(out, &y)?;
        give(out, &slots)
    }
}
