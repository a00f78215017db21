//! Rows of a table, and rows of activations.
//!
//! On the calling thread: this is a copy of each row and no more.

use longseq_core::{
    backend::{Embedding, EmbeddingDims, GatherRows},
    error::enough,
};

use crate::{Cpu, CpuError, Result, weight::Weight};

impl<'a> Embedding for Cpu<'a> {
    fn embedding(
        &mut self,
        dims: &EmbeddingDims,
        tokens: &[u32],
        table: &Weight<'a>,
        out: &mut [f32],
    ) -> Result {
        let EmbeddingDims { width, scale } = *dims;
        let operation = "embedding";
        let Weight::Table(table) = table else { return Err(CpuError::Weight { operation }) };
        enough(operation, "width", 1, width)?;
        enough(operation, "out", tokens.len().saturating_mul(width), out.len())?;
        let last = tokens.iter().max().map_or(0, |&token| (token as usize).saturating_add(1));
        enough(operation, "table", last.saturating_mul(width), table.elements())?;
        let scale = scale as f32;
        self.isa.run(
            #[inline(always)]
            || {
                for (out, &token) in out.chunks_exact_mut(width).zip(tokens) {
                    table.decode(token as usize * width, out)?;
                    for out in out {
                        *out *= scale;
                    }
                }
                Ok(())
            },
        )
    }
}

impl GatherRows for Cpu<'_> {
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
