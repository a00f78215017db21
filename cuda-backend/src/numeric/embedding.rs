//! Rows of a table, and rows of activations.

use longseq_core::{
    backend::{Elements, Embedding, EmbeddingDims, GatherRows},
    error::{enough, same},
    numeric::tensor::Dtype,
};

use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::{EMBEDDING, GATHER_ROWS},
    launch::{Grid, i32_of, i64_of},
    runtime::{Argument, Runtime},
    weight::Weight,
};

impl<R: Runtime> Embedding for Cuda<R> {
    fn embedding(
        &mut self,
        dims: &EmbeddingDims,
        tokens: &[u32],
        table: &Weight<R::Memory>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let EmbeddingDims { width, scale } = *dims;
        let operation = "embedding";
        let table = table.matrix(operation)?;
        enough(operation, "width", 1, width)?;
        same(operation, "width", table.inputs, width)?;
        let elements = tokens.len().saturating_mul(width);
        enough(operation, "out", elements, out.elements())?;
        let last = tokens.iter().max().map_or(0, |&token| (token as usize).saturating_add(1));
        enough(operation, "table", last, table.outputs)?;
        let out = out.f32((operation, "out"))?;
        let arguments = [
            Argument::Address(self.stage_tokens(tokens)?),
            Argument::Address(table.elements.address()),
            Argument::I32(i32::from(table.elements.dtype() == Dtype::Bf16)),
            Argument::Address(out),
            i64_of(elements),
            i32_of((operation, "width"), width)?,
            Argument::F32(scale as f32),
        ];
        let fast = Grid::blocks(tokens.len(), width.div_ceil(4));
        // SAFETY: there are as many tokens as blocks, each a row of the table; out has `elements` elements.
        unsafe { self.launch_version(&EMBEDDING, Grid::threads(elements), fast, &arguments) }
    }
}

impl<R: Runtime> GatherRows for Cuda<R> {
    fn gather_rows(
        &mut self,
        width: usize,
        rows: &[usize],
        x: &Buffer<R::Memory>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let operation = "gather_rows";
        enough(operation, "width", 1, width)?;
        let elements = rows.len().saturating_mul(width);
        enough(operation, "out", elements, out.elements())?;
        let last = rows.iter().max().map_or(0, |&row| row.saturating_add(1));
        enough(operation, "x", last.saturating_mul(width), x.elements())?;
        enough(operation, "rows", last, u32::MAX as usize)?;
        let (x, out) = (x.f32((operation, "x"))?, out.f32((operation, "out"))?);
        let arguments = [
            Argument::Address(self.stage_rows(rows)?),
            Argument::Address(x),
            Argument::Address(out),
            i64_of(elements),
            i32_of((operation, "width"), width)?,
        ];
        let fast = Grid::blocks(rows.len(), width.div_ceil(4));
        // SAFETY: there are as many rows asked for as blocks, each within x; out has `elements` elements.
        unsafe { self.launch_version(&GATHER_ROWS, Grid::threads(elements), fast, &arguments) }
    }
}
