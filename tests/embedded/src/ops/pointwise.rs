use longseq_core::backend::{Columns, GatedLinearUnit as _, SoftCap as _, SquaredRelu as _};
use longseq_core::numeric::activation::{Activation, GluDims, softplus};
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give};
use crate::draw::Draw;

/// Channels.
pub const WIDTH: usize = 13;

/// y += up ⊙ gelu_tanh(gate), then y += up ⊙ silu(gate).
#[derive(Clone, Debug)]
pub struct GatedLinearUnit {
    /// \[T, width\].
    pub up: [f32; TOKENS * WIDTH],
    /// \[T, width\].
    pub gate: [f32; TOKENS * WIDTH],
    /// \[T, width\], what y is added to.
    pub y: [f32; TOKENS * WIDTH],
}

impl Operation for GatedLinearUnit {
    const NAME: &'static str = "gated_linear_unit";

    fn draw(draw: &mut Draw) -> Self {
        Self { up: draw.numbers(), gate: draw.numbers(), y: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let mut y = self.y;
        for activation in [Activation::GeluTanh, Activation::Silu] {
            let dims = GluDims { rows: TOKENS, width: WIDTH, activation, accumulate: true };
            let columns = |x| Columns::all(x, WIDTH);
            Reference::new(&mut []).gated_linear_unit(
                &dims,
                columns(&self.up[..]),
                columns(&self.gate[..]),
                &mut y,
            )?;
        }
        give(out, &y)
    }
}

/// max(x, 0)².
#[derive(Clone, Debug)]
pub struct SquaredRelu {
    /// \[T, width\].
    pub x: [f32; TOKENS * WIDTH],
}

impl Operation for SquaredRelu {
    const NAME: &'static str = "squared_relu";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let mut y = self.x;
        Reference::new(&mut []).squared_relu(TOKENS, WIDTH, Columns::all(&mut y[..], WIDTH))?;
        give(out, &y)
    }
}

/// c · tanh(x / c).
#[derive(Clone, Debug)]
pub struct SoftCap {
    /// Logits.
    pub x: [f32; 64],
}

impl SoftCap {
    /// c.
    pub const CAP: f64 = 3.0;
}

impl Operation for SoftCap {
    const NAME: &'static str = "soft_cap";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let mut y = self.x;
        Reference::new(&mut []).soft_cap(y.len(), Self::CAP, &mut y)?;
        give(out, &y)
    }
}

/// ln(1 + eˣ), of x and of 4 x.
#[derive(Clone, Debug)]
pub struct Softplus {
    /// Numbers.
    pub x: [f32; 64],
}

impl Operation for Softplus {
    const NAME: &'static str = "softplus";

    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        give(out, &self.x.map(softplus))?;
        give(out, &self.x.map(|x| softplus(4.0 * x)))
    }
}
