//! Pointwise functions of every row.

use longseq_core::{
    backend::{Columns, GatedLinearUnit, SoftCap, SquaredRelu},
    error::enough,
    numeric::activation::{Activation, GluDims},
};

use super::{
    math::{gelu_tanh, sigmoid, silu, tanh},
    rows::each_row,
};
use crate::{Cpu, Result, isa::Isa};

impl GatedLinearUnit for Cpu {
    fn gated_linear_unit(
        &mut self,
        dims: &GluDims,
        up: Columns<&[f32]>,
        gate: Columns<&[f32]>,
        out: &mut [f32],
    ) -> Result {
        let GluDims { rows, width, activation, accumulate } = *dims;
        let operation = "gated_linear_unit";
        enough(operation, "width", 1, width)?;
        up.check((operation, "up"), (rows, width), up.buffer.len())?;
        gate.check((operation, "gate"), (rows, width), gate.buffer.len())?;
        enough(operation, "out", rows.saturating_mul(width), out.len())?;
        let out = &mut out[..rows * width];
        let extents = (width, accumulate);
        match activation {
            Activation::Identity => unit(self.isa, extents, up, gate, out, |x| x),
            Activation::Silu => unit(self.isa, extents, up, gate, out, silu),
            Activation::GeluTanh => unit(self.isa, extents, up, gate, out, gelu_tanh),
            Activation::Sigmoid => unit(self.isa, extents, up, gate, out, sigmoid),
        }
        Ok(())
    }
}

/// out ← up ⊙ f(gate), or that much added to it.
fn unit(
    isa: Isa,
    (width, accumulate): (usize, bool),
    up: Columns<&[f32]>,
    gate: Columns<&[f32]>,
    out: &mut [f32],
    f: impl Fn(f32) -> f32 + Sync,
) {
    each_row(
        isa,
        width,
        out,
        #[inline(always)]
        |row, out| {
            let up = &up.buffer[up.row(row, width)];
            let gate = &gate.buffer[gate.row(row, width)];
            for ((out, &up), &gate) in out.iter_mut().zip(up).zip(gate) {
                let product = up * f(gate);
                *out = if accumulate { *out + product } else { product };
            }
        },
    );
}

impl SquaredRelu for Cpu {
    fn squared_relu(&mut self, rows: usize, width: usize, x: Columns<&mut [f32]>) -> Result {
        x.check(("squared_relu", "x"), (rows, width), x.buffer.len())?;
        let Columns { buffer, stride, offset } = x;
        each_row(
            self.isa,
            stride,
            &mut buffer[..rows * stride],
            #[inline(always)]
            |_, row| {
                for x in &mut row[offset..][..width] {
                    let positive = if *x > 0.0 { *x } else { 0.0 };
                    *x = positive * positive;
                }
            },
        );
        Ok(())
    }
}

/// Elements of what stands for a row where there are none.
const PIECE: usize = 1024;

impl SoftCap for Cpu {
    fn soft_cap(&mut self, elements: usize, cap: f64, x: &mut [f32]) -> Result {
        enough("soft_cap", "x", elements, x.len())?;
        let cap = cap as f32;
        each_row(
            self.isa,
            PIECE,
            &mut x[..elements],
            #[inline(always)]
            |_, piece| {
                for x in piece {
                    *x = cap * tanh(*x / cap);
                }
            },
        );
        Ok(())
    }
}
