use longseq_core::attention::rope::{rope, rope_frequencies, rope_rotation};

use super::{Operation, OperationError, Outputs, give};
use crate::draw::Draw;

/// Rotary embedding of one head at positions near and far.
#[derive(Clone, Debug)]
pub struct Rope {
    /// \[D\].
    pub head: [f32; 10],
}

impl Rope {
    /// r/2.
    pub const PAIRS: usize = 4;
    /// Base of the frequencies.
    pub const BASE: f64 = 10_000.0;
    /// t.
    pub const POSITIONS: [usize; 5] = [0, 1, 77, 2_047, 16_383];
}

impl Operation for Rope {
    const NAME: &'static str = "rope";

    fn draw(draw: &mut Draw) -> Self {
        Self { head: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let [mut frequencies, mut cos, mut sin] = [[0.0; Self::PAIRS]; 3];
        rope_frequencies(Self::BASE, &mut frequencies);
        for position in Self::POSITIONS {
            let mut head = self.head;
            rope_rotation(position, &frequencies, &mut cos, &mut sin);
            rope(&mut head, &cos, &sin);
            give(out, &head)?;
        }
        Ok(())
    }
}
