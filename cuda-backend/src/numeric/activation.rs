//! Pointwise functions of every row.

use longseq_core::{
    backend::{Columns, Elements, GatedLinearUnit, SoftCap, SquaredRelu},
    error::enough,
    numeric::activation::{Activation, GluDims},
};

use super::{columns, columns_mut};
use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::{GATED_LINEAR_UNIT, SOFT_CAP, SQUARED_RELU},
    launch::{Grid, i32_of, i64_of},
    runtime::{Argument, Runtime},
};

/// The function as kernels know it: the enumeration in device.cuh.
pub(crate) const fn number(activation: Activation) -> Argument {
    Argument::I32(match activation {
        Activation::Identity => 0,
        Activation::Silu => 1,
        Activation::GeluTanh => 2,
        Activation::Sigmoid => 3,
    })
}

impl<R: Runtime> GatedLinearUnit for Cuda<R> {
    fn gated_linear_unit(
        &mut self,
        dims: &GluDims,
        up: Columns<&Buffer<R::Memory>>,
        gate: Columns<&Buffer<R::Memory>>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let GluDims { rows, width, activation, accumulate } = *dims;
        let operation = "gated_linear_unit";
        enough(operation, "width", 1, width)?;
        let elements = rows.saturating_mul(width);
        enough(operation, "out", elements, out.elements())?;
        let (up, up_stride) = columns((operation, "up"), &up, (rows, width))?;
        let (gate, gate_stride) = columns((operation, "gate"), &gate, (rows, width))?;
        let name = (operation, "out");
        let [out, is_bf16] = match accumulate {
            // What is added to is not to be rounded.
            true => [Argument::Address(out.f32(name)?), Argument::I32(0)],
            false => out.output(name)?,
        };
        let arguments = [
            Argument::Address(up),
            up_stride,
            Argument::Address(gate),
            gate_stride,
            out,
            is_bf16,
            i32_of((operation, "rows"), rows)?,
            i32_of((operation, "width"), width)?,
            number(activation),
            Argument::I32(accumulate.into()),
        ];
        let (plain, fast) = (Grid::threads(elements), Grid::fours(rows, width));
        // SAFETY: all three have `rows` rows of `width`, as checked.
        unsafe { self.launch_version(&GATED_LINEAR_UNIT, plain, fast, &arguments) }
    }
}

impl<R: Runtime> SquaredRelu for Cuda<R> {
    fn squared_relu(
        &mut self,
        rows: usize,
        width: usize,
        x: Columns<&mut Buffer<R::Memory>>,
    ) -> Result<(), R::Error> {
        let operation = "squared_relu";
        let (x, stride) = columns_mut((operation, "x"), &x, (rows, width))?;
        let arguments = [
            Argument::Address(x),
            stride,
            i32_of((operation, "rows"), rows)?,
            i32_of((operation, "width"), width)?,
        ];
        let (plain, fast) = (Grid::threads(rows.saturating_mul(width)), Grid::fours(rows, width));
        // SAFETY: x has such columns, as checked.
        unsafe { self.launch_version(&SQUARED_RELU, plain, fast, &arguments) }
    }
}

impl<R: Runtime> SoftCap for Cuda<R> {
    fn soft_cap(
        &mut self,
        elements: usize,
        cap: f64,
        x: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let operation = "soft_cap";
        enough(operation, "x", elements, x.elements())?;
        let x = x.f32((operation, "x"))?;
        let arguments = [Argument::Address(x), i64_of(elements), Argument::F32(cap as f32)];
        let (plain, fast) = (Grid::threads(elements), Grid::threads(elements.div_ceil(4)));
        // SAFETY: x has so many elements.
        unsafe { self.launch_version(&SOFT_CAP, plain, fast, &arguments) }
    }
}
