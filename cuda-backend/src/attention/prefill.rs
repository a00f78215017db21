//! Many queries of a sequence.

use super::call::Call;
use crate::{
    Cuda, Result,
    kernels::{HeadKernels, PREFILL_ROWS},
    launch::Grid,
    runtime::{Argument, Runtime},
};

impl<R: Runtime> Cuda<R> {
    /// Attends with every token of the sequences that have many.
    ///
    /// # Safety
    /// out, as kernels take it, has the call's rows; keys that they see and queries are in their places.
    pub(super) unsafe fn prefill(
        &mut self,
        call: &Call<'_>,
        kernels: &HeadKernels,
        out: [Argument; 2],
    ) -> Result<(), R::Error> {
        let many = call.sequences.iter().filter(|of| !call.is_few(of));
        let Some(tokens) = many.map(|of| of.rows.len()).max() else { return Ok(()) };
        let blocks = tokens.saturating_mul(call.group()).div_ceil(PREFILL_ROWS);
        let kernel = &kernels.prefill;
        let grid = Grid {
            blocks: [blocks, call.dims.kv_heads, call.lists.count],
            threads: kernel.threads as usize,
            dynamic_shared: kernel.dynamic_shared as usize,
        };
        let arguments = call.arguments(&out)?;
        // SAFETY: the caller's.
        unsafe { self.launch(kernel, grid, &arguments) }
    }
}
