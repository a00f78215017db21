//! One call, as its kernels take it.

use longseq_core::{
    attention::{grouped_query_attention::AttentionDims, kv_cache::KvCacheDims},
    batch::{Sequence, Sequences},
    numeric::tensor::Dtype,
    state::Region,
};

use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::{HEADS, HeadKernels},
    launch::{i32_of, i64_of},
    runtime::{Address, Argument, Runtime},
    staging::{SequenceLists, Work},
};

/// Queries of one key-value head that count as few, beyond those of one token: FEW of kernels/attention/sequence.cuh.
const FEW: usize = 64;

/// Bytes of what the fast kernels read and write at once.
const AT_ONCE: usize = 16;

/// A call that has been checked.
pub struct Call<'c> {
    pub dims: &'c AttentionDims,
    pub sequences: &'c Sequences<'c>,
    pub lists: SequenceLists,
    kv: &'c KvCacheDims,
    region: Region,
    rotated: Address,
    cache: Address,
    /// Of the cache and of what is rotated.
    dtype: Dtype,
}

impl Call<'_> {
    /// Rows of the batch.
    pub fn rows(&self) -> usize {
        self.sequences.rows()
    }

    /// Query heads of a key-value head.
    pub const fn group(&self) -> usize {
        self.dims.heads / self.dims.kv_heads
    }

    /// Whether a sequence has few queries.
    pub fn is_few(&self, sequence: &Sequence) -> bool {
        let tokens = sequence.rows.len();
        tokens == 1 || tokens.saturating_mul(self.group()) <= FEW
    }

    /// Whether keys and values of any sequence wait beside its queries.
    pub fn any_staged(&self) -> bool {
        self.sequences.iter().any(|of| {
            let tokens = of.rows.len();
            tokens > 1 && of.position + tokens > self.kv.rows
        })
    }

    /// Whether heads and slots begin at multiples of what is read at once.
    pub fn is_aligned(&self) -> bool {
        let Region { offset, stride, .. } = self.region;
        let aligned = |elements: usize| (elements * self.dtype.bytes()).is_multiple_of(AT_ONCE);
        [self.dims.head_dim, offset, stride].into_iter().all(aligned)
    }

    /// The kernels for such heads, if there are any.
    pub fn head_kernels(&self) -> Option<&'static HeadKernels> {
        let of = HEADS.iter().find(|of| of.head_dim == self.dims.head_dim);
        of.filter(|_| self.dtype == Dtype::Bf16 && self.is_aligned())
    }

    /// A kernel's own arguments, then those of the call: `CALL_PARAMETERS` of kernels/attention/sequence.cuh.
    pub fn arguments<E>(&self, own: &[Argument]) -> Result<Vec<Argument>, E> {
        let AttentionDims { heads, kv_heads, head_dim, window, cuts_prompt, .. } = *self.dims;
        let size = |operand, value| i32_of(("grouped_query_attention", operand), value);
        // Products of these that kernels make in 32 bits.
        size("heads of all rows", self.rows().saturating_mul(heads))?;
        size("qkv width", self.dims.qkv_width())?;
        let window = window.map_or(i32::MAX, |window| window.try_into().unwrap_or(i32::MAX));
        let lists = self.lists;
        let call = [
            Argument::Address(lists.starts),
            Argument::Address(lists.slots),
            Argument::Address(lists.positions),
            size("sequences", lists.count)?,
            Argument::Address(self.rotated),
            Argument::Address(self.cache),
            i64_of(self.region.offset),
            i64_of(self.region.stride),
            Argument::I32((self.dtype == Dtype::F32).into()),
            size("cache rows", self.kv.rows)?,
            size("heads", heads)?,
            size("key-value heads", kv_heads)?,
            size("head size", head_dim)?,
            Argument::I32(window),
            Argument::I32(cuts_prompt.into()),
        ];
        Ok([own, &call].concat())
    }
}

impl<R: Runtime> Cuda<R> {
    /// A call that fits, with room for what it rotates.
    pub(super) fn attention_call<'c>(
        &mut self,
        dims: &'c AttentionDims,
        sequences: &'c Sequences<'c>,
        (kv, region): (&'c KvCacheDims, Region),
        cache: &Buffer<R::Memory>,
    ) -> Result<Call<'c>, R::Error> {
        let lists = self.stage_sequences(sequences)?;
        let dtype = cache.dtype();
        let elements = sequences.rows().saturating_mul(dims.qkv_width());
        let rotated = self.work(Work::Between, elements, dtype)?;
        let cache = cache.address();
        Ok(Call { dims, sequences, lists, kv, region, rotated, cache, dtype })
    }
}
