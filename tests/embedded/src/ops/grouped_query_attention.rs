use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::attention::kv_cache::KvCacheDims;
use longseq_core::backend::GroupedQueryAttention;
use longseq_core::reference::Reference;

use super::{Operation, OperationError, Outputs, TOKENS, give, sequences, state};
use crate::draw::Draw;

/// Four query heads and two key-value heads of ten channels, six of them rotated.
pub const DIMS: AttentionDims = AttentionDims {
    heads: 4,
    kv_heads: 2,
    head_dim: 10,
    scale: 0.316,
    window: None,
    cuts_prompt: false,
    rotary: 6,
    rope_base: 10_000.0,
};

const QUERY: usize = DIMS.query_width();
const QKV: usize = DIMS.qkv_width();
const KV: usize = DIMS.kv_width();

/// Rotary attention with a cache of so many rows.
#[derive(Clone, Debug)]
pub struct Attention<const CACHE: usize> {
    /// q, k, v \[T, H·D + 2 Hkv·D\].
    pub qkv: [f32; TOKENS * QKV],
    /// \[slot, 2, rows, Hkv·D\].
    pub cache: [f32; CACHE],
}

/// Attention to everything.
pub type FullAttention = Attention<{ 2 * 2 * 6 * KV }>;
/// Attention to the last three tokens.
pub type WindowedAttention = Attention<{ 2 * 2 * 3 * KV }>;

impl<const CACHE: usize> Attention<CACHE> {
    /// Tokens that a slot's cache holds.
    pub const ROWS: usize = CACHE / (2 * 2 * KV);
    /// How far a token sees: as many tokens as there are rows, where the rows do not hold the whole sequence.
    pub const WINDOW: Option<usize> = if Self::ROWS < 6 { Some(Self::ROWS) } else { None };
}

impl<const CACHE: usize> Operation for Attention<CACHE> {
    const NAME: &'static str = match Self::WINDOW {
        None => "grouped_query_attention",
        Some(_) => "grouped_query_attention_window",
    };

    fn draw(draw: &mut Draw) -> Self {
        Self { qkv: draw.numbers(), cache: draw.numbers() }
    }

    fn run(&self, out: &mut Outputs) -> Result<(), OperationError> {
        let dims = AttentionDims { window: Self::WINDOW, ..DIMS };
        let kv = KvCacheDims { rows: Self::ROWS, width: KV };
        let (mut work, mut y, mut cache) = ([0.0; 64], [0.0; TOKENS * QUERY], self.cache);
        let slab = state(&mut cache);
        Reference::new(&mut work).grouped_query_attention(
            &dims,
            &sequences()?,
            &self.qkv,
            &kv,
            slab,
            &mut y,
        )?;
        give(out, &y)?;
        give(out, &cache)
    }
}
