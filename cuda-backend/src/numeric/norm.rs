//! Norms of every row.

use longseq_core::{
    backend::{Columns, Elements, GatedGroupNorm, GatedRmsNorm, LayerNorm, RmsNorm},
    error::same,
    numeric::norm::{GatedNormDims, NormDims},
};

use super::columns;
use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::{GATED_GROUP_NORM, GATED_RMS_NORM, LAYER_NORM, RMS_NORM, Versions},
    launch::{Grid, i32_of},
    runtime::{Address, Argument, Runtime},
    weight::Weight,
};

impl<R: Runtime> RmsNorm for Cuda<R> {
    fn rms_norm(
        &mut self,
        dims: &NormDims,
        x: &Buffer<R::Memory>,
        weight: &Weight<R::Memory>,
        one_plus: bool,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let operation = "rms_norm";
        let (weight, width) = weight.values(operation)?;
        dims.check(operation, x.elements(), width, out.elements())?;
        let plus = if one_plus { 1.0 } else { 0.0 };
        self.norm((operation, &RMS_NORM), dims, x, (weight, 0, plus), out)
    }
}

impl<R: Runtime> LayerNorm for Cuda<R> {
    fn layer_norm(
        &mut self,
        dims: &NormDims,
        x: &Buffer<R::Memory>,
        weight: &Weight<R::Memory>,
        bias: &Weight<R::Memory>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let operation = "layer_norm";
        let ((weight, width), (bias, biases)) =
            (weight.values(operation)?, bias.values(operation)?);
        dims.check(operation, x.elements(), width, out.elements())?;
        same(operation, "bias", dims.width, biases)?;
        self.norm((operation, &LAYER_NORM), dims, x, (weight, bias, 0.0), out)
    }
}

impl<R: Runtime> GatedRmsNorm for Cuda<R> {
    fn gated_rms_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut Buffer<R::Memory>,
        z: Columns<&Buffer<R::Memory>>,
        weight: &Weight<R::Memory>,
    ) -> Result<(), R::Error> {
        let operation = "gated_rms_norm";
        let (weight, width) = weight.values(operation)?;
        dims.check(operation, x.elements(), width)?;
        let z = columns((operation, "z"), &z, (dims.rows, dims.width))?;
        let fast = |groups, group: usize| Grid::blocks(groups, group.div_ceil(4));
        self.gated_norm((operation, &GATED_RMS_NORM, fast), dims, x, z, (weight, 0))
    }
}

impl<R: Runtime> GatedGroupNorm for Cuda<R> {
    fn gated_group_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut Buffer<R::Memory>,
        gate: Columns<&Buffer<R::Memory>>,
        weight: &Weight<R::Memory>,
        bias: &Weight<R::Memory>,
    ) -> Result<(), R::Error> {
        let operation = "gated_group_norm";
        let ((weight, width), (bias, biases)) =
            (weight.values(operation)?, bias.values(operation)?);
        dims.check(operation, x.elements(), width)?;
        same(operation, "bias", dims.width, biases)?;
        let gate = columns((operation, "gate"), &gate, (dims.rows, dims.width))?;
        let fast = |groups, _| Grid::warps(groups);
        self.gated_norm((operation, &GATED_GROUP_NORM, fast), dims, x, gate, (weight, bias))
    }
}

impl<R: Runtime> Cuda<R> {
    /// A norm whose operands have been checked; the bias is null where there is none.
    fn norm(
        &mut self,
        (operation, kernels): (&'static str, &Versions),
        &NormDims { rows, width, epsilon }: &NormDims,
        x: &Buffer<R::Memory>,
        (weight, bias, plus): (Address, Address, f32),
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let [out, is_bf16] = out.output((operation, "out"))?;
        let arguments = [
            Argument::Address(x.f32((operation, "x"))?),
            Argument::Address(weight),
            Argument::Address(bias),
            out,
            is_bf16,
            i32_of((operation, "rows"), rows)?,
            i32_of((operation, "width"), width)?,
            Argument::F32(plus),
            Argument::F32(epsilon as f32),
        ];
        let (plain, fast) = (Grid::threads(rows), Grid::blocks(rows, width.div_ceil(4)));
        // SAFETY: x and out have `rows` rows of `width`, the weight and a bias `width` elements.
        unsafe { self.launch_version(kernels, plain, fast, &arguments) }
    }

    /// A gated norm whose operands have been checked; the bias is null where there is none. `fast` is the grid of the
    /// fast version for so many groups of so many channels.
    fn gated_norm(
        &mut self,
        (operation, kernels, fast): (&'static str, &Versions, fn(usize, usize) -> Grid),
        &GatedNormDims { rows, width, groups, epsilon }: &GatedNormDims,
        x: &mut Buffer<R::Memory>,
        (gate, stride): (Address, Argument),
        (weight, bias): (Address, Address),
    ) -> Result<(), R::Error> {
        let group = width / groups;
        let [x, is_bf16] = x.output((operation, "x"))?;
        let arguments = [
            x,
            is_bf16,
            Argument::Address(gate),
            stride,
            Argument::Address(weight),
            Argument::Address(bias),
            i32_of((operation, "rows"), rows)?,
            i32_of((operation, "groups"), groups)?,
            i32_of((operation, "width"), group)?,
            Argument::F32(epsilon as f32),
        ];
        let all = rows.saturating_mul(groups);
        let (plain, fast) = (Grid::threads(all), fast(all, group));
        // SAFETY: x has `rows` rows of `groups` groups of `group` elements, the gate as many in its columns; the
        // weight and a bias have one row.
        unsafe { self.launch_version(kernels, plain, fast, &arguments) }
    }
}
