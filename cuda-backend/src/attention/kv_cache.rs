//! Storing of keys and values that had to wait.

use super::call::Call;
use crate::{
    Cuda, Result, Version,
    kernels::KV_CACHE_STORE,
    launch::{Grid, i32_of},
    runtime::Runtime,
};

impl<R: Runtime> Cuda<R> {
    /// Puts staged keys and values, the newest of every sequence, into the cache.
    ///
    /// # Safety
    /// The cache is what the call was checked with.
    pub(super) unsafe fn store(&mut self, call: &Call<'_>) -> Result<(), R::Error> {
        if !call.any_staged() {
            return Ok(());
        }
        let rows = call.rows();
        let arguments = call.arguments(&[i32_of(("kv_cache_store", "rows"), rows)?])?;
        let plain = self.version == Version::Plain || !call.is_aligned();
        let elements = rows.saturating_mul(call.dims.kv_width());
        // Some of the threads of 16 bytes have nothing to do in bf16.
        let (kernel, items) = if plain {
            (&KV_CACHE_STORE.plain, elements)
        } else {
            (&KV_CACHE_STORE.fast, elements / 4)
        };
        // SAFETY: the caller's; there is a thread for every element, or 16 bytes, of the rows' keys.
        unsafe { self.launch(kernel, Grid::threads(items), &arguments) }
    }
}
