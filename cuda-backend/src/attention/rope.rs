//! Rotation of queries and keys, and storing of keys and values.

use super::call::Call;
use crate::{
    Cuda, Result, Version,
    kernels::ROPE,
    launch::{Grid, i32_of},
    runtime::{Address, Argument, Runtime},
};

/// Pairs that the fast kernel has room for: MOST_PAIRS of kernels/attention/rope.cu.
const MOST_PAIRS: usize = 256;

/// Threads of a token.
const THREADS: usize = 256;

impl<R: Runtime> Cuda<R> {
    /// Rotates q and k; q and what is staged goes to working memory, the rest to the cache.
    ///
    /// # Safety
    /// qkv has the call's rows, and the cache is what the call was checked with.
    pub(super) unsafe fn rope(&mut self, call: &Call<'_>, qkv: Address) -> Result<(), R::Error> {
        let pairs = call.dims.rotary / 2;
        let rows = call.rows();
        // Scores count in units of ln 2, so that their exponentials are powers of 2.
        let scale = (call.dims.scale * core::f64::consts::LOG2_E) as f32;
        let arguments = call.arguments(&[
            Argument::Address(qkv),
            Argument::Address(self.stage_frequencies(call.dims.rope_base, pairs)?),
            i32_of(("rope", "rows"), rows)?,
            i32_of(("rope", "pairs"), pairs)?,
            Argument::F32(scale),
        ])?;
        let plain = self.version == Version::Plain || pairs > MOST_PAIRS;
        let (kernel, grid) = if plain {
            (&ROPE.plain, Grid::threads(rows.saturating_mul(call.dims.qkv_width())))
        } else {
            (&ROPE.fast, Grid::blocks(rows, THREADS))
        };
        // SAFETY: the caller's; there is a frequency for each pair, and a thread or block for each element or row.
        unsafe { self.launch(kernel, grid, &arguments) }
    }
}
