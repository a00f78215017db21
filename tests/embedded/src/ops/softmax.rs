use longseq_core::numeric::softmax::softmax;

use super::{Operation, OperationError, Outputs, give};
use crate::draw::Draw;

/// Softmax of one row.
#[derive(Clone, Debug)]
pub struct Softmax {
    /// Scores.
    pub x: [f32; 37],
}

impl Operation for Softmax {
    const NAME: &'static str = "softmax";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let mut y = self.x;
        softmax(&mut y);
        give(out, &y)
    }
}
