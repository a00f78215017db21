use longseq_core::numeric::softmax::softmax;

use super::{Operation, OperationError, Outputs, give};
use crate::draw::Draw;

/// Softmax of some rows.
#[derive(Clone, Debug)]
pub struct Softmax {
    /// Scores, row after row.
    pub x: [f32; 8 * Self::WIDTH],
}

impl Softmax {
    /// Scores of a row.
    pub const WIDTH: usize = 37;
}

impl Operation for Softmax {
    const NAME: &'static str = "softmax";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let mut y = self.x;
        y.chunks_mut(Self::WIDTH).for_each(softmax);
        give(out, &y)
    }
}
