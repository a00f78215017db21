//! Rows of a table, and rows of activations.

use longseq_core::{
    backend::{Embedding, EmbeddingDims, GatherRows},
    error::{enough, same},
};

use super::rows::each_row;
use crate::{Cpu, Result, weight::Weight};

impl Embedding for Cpu {
    fn embedding(
        &mut self,
        dims: &EmbeddingDims,
        tokens: &[u32],
        table: &Weight,
        out: &mut [f32],
    ) -> Result {
        let EmbeddingDims { width, scale } = *dims;
        let operation = "embedding";
        let table = table.matrix(operation)?;
        enough(operation, "width", 1, width)?;
        same(operation, "width", table.inputs(), width)?;
        enough(operation, "out", tokens.len().saturating_mul(width), out.len())?;
        let last = tokens.iter().max().map_or(0, |&token| (token as usize).saturating_add(1));
        enough(operation, "table", last, table.outputs())?;
        let scale = scale as f32;
        each_row(
            self.isa,
            width,
            &mut out[..tokens.len() * width],
            #[inline(always)]
            |row, out| {
                table.row(tokens[row] as usize, out);
                for out in out {
                    *out *= scale;
                }
            },
        );
        Ok(())
    }
}

/// On the calling thread: this is a copy of each row and no more.
impl GatherRows for Cpu {
    fn gather_rows(&mut self, width: usize, rows: &[usize], x: &[f32], out: &mut [f32]) -> Result {
        enough("gather_rows", "width", 1, width)?;
        enough("gather_rows", "out", rows.len().saturating_mul(width), out.len())?;
        let last = rows.iter().max().map_or(0, |&row| row.saturating_add(1));
        enough("gather_rows", "x", last.saturating_mul(width), x.len())?;
        for (out, &row) in out.chunks_exact_mut(width).zip(rows) {
            out.copy_from_slice(&x[row * width..][..width]);
        }
        Ok(())
    }
}
