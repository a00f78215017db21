//! Attention.

use super::{Kernel, Source, Versions, versions};

const ROTATION: Source = source!("attention/rope.cu");
const KV_CACHE: Source = source!("attention/kv_cache.cu");
const ATTENTION: Source = source!("attention/grouped_query_attention.cu");
const DECODE: Source = source!("attention/decode.cu");

pub(crate) const ROPE: Versions = {
    let of = versions(ROTATION, "rope_ref", "rope", 64);
    Versions { fast: of.fast.shared(2048, 0), ..of }
};
pub(crate) const KV_CACHE_STORE: Versions =
    versions(KV_CACHE, "kv_cache_store_ref", "kv_cache_store", 48);
pub(crate) const GROUPED_QUERY_ATTENTION_REF: Kernel =
    Kernel::new(ATTENTION, "grouped_query_attention_ref", 128, 64);
pub(crate) const DECODE_COMBINE: Kernel = Kernel::new(DECODE, "decode_combine", 128, 64);

/// Attention with heads of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadKernels {
    /// D.
    pub(crate) head_dim: usize,
    /// Of many queries.
    pub(crate) prefill: Kernel,
    /// Of few.
    pub(crate) decode: Kernel,
}

/// Rows of queries of a block of `prefill_D`, and of `decode_D`.
pub(crate) const PREFILL_ROWS: usize = 128;
pub(crate) const DECODE_ROWS: usize = 16;

macro_rules! heads {
    ($head_dim:literal, prefill: $prefill:expr, decode: $decode:expr) => {
        HeadKernels {
            head_dim: $head_dim,
            prefill: prefill(concat!("prefill_", $head_dim), $head_dim, $prefill),
            decode: decode(concat!("decode_", $head_dim), $head_dim, $decode),
        }
    };
}

/// Bytes of a line of D bf16 in shared memory.
const fn line(head_dim: u32) -> u32 {
    if head_dim.is_multiple_of(64) { 2 * head_dim } else { 2 * (head_dim + 8) }
}

const fn most(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

/// Warps, keys that are copied at a time, whether queries are held in registers, and registers.
const fn prefill(
    name: &'static str,
    head_dim: u32,
    (warps, keys, held, registers): (u32, u32, bool, u32),
) -> Kernel {
    let (stages, rows) = (4 * keys, PREFILL_ROWS as u32);
    let lines = if held { most(stages, rows) } else { stages + rows };
    Kernel::new(ATTENTION, name, 32 * warps, registers).shared(8 * rows, lines * line(head_dim))
}

/// Buffers of each of four warps, whether queries are held in registers, and registers.
const fn decode(
    name: &'static str,
    head_dim: u32,
    (buffers, held, registers): (u32, bool, u32),
) -> Kernel {
    let (warps, rows) = (4, DECODE_ROWS as u32);
    let lines = warps * buffers * rows + if held { 0 } else { rows };
    let sums = 4 * warps * rows * (head_dim + 8);
    Kernel::new(DECODE, name, 32 * warps, registers)
        .shared(8 * (warps + 1) * rows, most(lines * line(head_dim), sums))
}

/// The sizes of heads that are fast: those of the models in use, 32 of those that are built in, and 16 of those in tests.
pub(crate) const HEADS: &[HeadKernels] = &[
    heads!(16, prefill: (4, 64, true, 168), decode: (4, true, 80)),
    heads!(32, prefill: (4, 64, true, 200), decode: (4, true, 112)),
    heads!(64, prefill: (4, 32, true, 224), decode: (4, true, 128)),
    heads!(80, prefill: (4, 32, true, 240), decode: (4, true, 168)),
    heads!(96, prefill: (4, 32, false, 240), decode: (4, true, 168)),
    heads!(128, prefill: (4, 32, false, 255), decode: (4, true, 168)),
    heads!(256, prefill: (8, 16, true, 255), decode: (2, false, 255)),
];
