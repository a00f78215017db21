//! Rotary attention of every sequence.

use longseq_core::{
    attention::{grouped_query_attention::AttentionDims, kv_cache::KvCacheDims},
    backend::{Elements, GroupedQueryAttention},
    batch::Sequences,
    numeric::tensor::Dtype,
    state::StateMut,
};

use super::call::Call;
use crate::{
    Cuda, Result, Version,
    buffer::Buffer,
    kernels::GROUPED_QUERY_ATTENTION_REF,
    launch::{Grid, i32_of},
    runtime::{Argument, Runtime},
    staging::Work,
};

/// Threads of a block of the plain kernel.
const THREADS: usize = 128;

/// In bf16 where the cache is, q, k, v and weights rounded and sums f32; all in f32 where it is, by the plain kernel.
impl<R: Runtime> GroupedQueryAttention for Cuda<R> {
    fn grouped_query_attention(
        &mut self,
        dims: &AttentionDims,
        sequences: &Sequences<'_>,
        qkv: &Buffer<R::Memory>,
        kv: &KvCacheDims,
        cache: StateMut<'_, Buffer<R::Memory>>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let operation = "grouped_query_attention";
        let StateMut { buffer: cache, region } = cache;
        let elements = (qkv.elements(), cache.elements(), out.elements());
        dims.check_call(sequences, (kv, &region), elements)?;
        let (qkv, out) = (qkv.f32((operation, "qkv"))?, out.output((operation, "out"))?);
        if sequences.rows() == 0 {
            return Ok(());
        }
        let call = self.attention_call(dims, sequences, (kv, region), cache)?;
        let fast = call.head_kernels().filter(|_| self.version == Version::Fast);
        // SAFETY: the call is checked, with these buffers. Rotation leaves every query, and the keys and values of the
        // call, where attention looks for them; those from before are in the cache's other rows.
        unsafe {
            self.rope(&call, qkv)?;
            match fast {
                Some(kernels) => {
                    self.prefill(&call, kernels, out)?;
                    self.decode(&call, kernels, out)?;
                }
                None => self.attend_plainly(&call, out)?,
            }
            self.store(&call)
        }
    }
}

impl<R: Runtime> Cuda<R> {
    /// Attends with every token, in any size.
    ///
    /// # Safety
    /// out, as kernels take it, has the call's rows; keys that they see and queries are in their places.
    unsafe fn attend_plainly(
        &mut self,
        call: &Call<'_>,
        out: [Argument; 2],
    ) -> Result<(), R::Error> {
        let rows = call.rows();
        let rows_of = i32_of(("grouped_query_attention", "rows"), rows)?;
        let [to, is_bf16] = out;
        // It adds up in f32, elsewhere where out is not.
        let sums = match is_bf16 {
            Argument::I32(0) => to,
            _ => {
                let elements = rows.saturating_mul(call.dims.query_width());
                Argument::Address(self.work(Work::Other, elements, Dtype::F32)?)
            }
        };
        let arguments = call.arguments(&[sums, to, is_bf16, rows_of])?;
        let grid = Grid::blocks(rows.saturating_mul(call.dims.heads).div_ceil(THREADS), THREADS);
        // SAFETY: the caller's; there is a thread for every token and head, and the sums have as many elements as out.
        unsafe { self.launch(&GROUPED_QUERY_ATTENTION_REF, grid, &arguments) }
    }
}
