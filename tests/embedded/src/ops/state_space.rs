use longseq_core::recurrence::state_space::{Discrete, bilinear, convolve, hippo_legs};

use super::{Operation, OperationError, Outputs, give};
use crate::draw::Draw;

/// HiPPO-LegS, discretised, run as a recurrence and as a convolution.
#[derive(Clone, Debug)]
pub struct StateSpace {
    /// C.
    pub c: [f32; Self::SIZE],
    /// x.
    pub x: [f32; Self::STEPS],
    /// Δ.
    pub dt: f32,
    /// D.
    pub d: f32,
}

impl StateSpace {
    /// N.
    pub const SIZE: usize = 4;
    /// Inputs.
    pub const STEPS: usize = 9;
}

impl Operation for StateSpace {
    const NAME: &'static str = "state_space";

    fn draw(draw: &mut Draw) -> Self {
        let (c, x) = (draw.numbers(), draw.numbers());
        Self { c, x, dt: draw.number().abs() / 8.0, d: draw.number() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let (mut a, mut b) = ([0.0; Self::SIZE * Self::SIZE], [0.0; Self::SIZE]);
        let mut work = a;
        hippo_legs(&mut a, &mut b)?;
        bilinear(&mut a, &mut b, self.dt, &mut work)?;
        give(out, &a)?;
        give(out, &b)?;
        let system = Discrete { a: &a, b: &b, c: &self.c, d: self.d };
        let (mut h, mut next) = ([0.0; Self::SIZE], [0.0; Self::SIZE]);
        for &x in &self.x {
            let y = system.step(x, &mut h, &mut next)?;
            give(out, &[y])?;
        }
        let (mut kernel, mut y) = ([0.0; Self::STEPS], [0.0; Self::STEPS]);
        system.kernel(&mut kernel, &mut h, &mut next)?;
        convolve(&kernel, self.d, &self.x, &mut y)?;
        give(out, &kernel)?;
        give(out, &y)
    }
}
