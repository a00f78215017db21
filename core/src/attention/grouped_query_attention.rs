//! Causal softmax attention with shared key-value heads (Vaswani et al. 2017; Ainslie et al. 2023),
//! optionally over a window.
//!
//! For the token at position t and query head h, with key-value head g = ⌊h / (H/Hkv)⌋:
//!
//! out\[h\] = Σ_s softmax_s(scale · q\[h\]·k_s\[g\]) v_s\[g\] over the positions max(0, t − W + 1) ≤ s ≤ t
//!
//! q, k and v of a token lie side by side, \[H·D + 2 Hkv·D\].

use core::ops::Range;

use super::kv_cache::KvCacheDims;
use crate::batch::{Sequence, Sequences};
use crate::error::{ShapeError, enough, same};
use crate::numeric::{Real, dot::dot, softmax::softmax};
use crate::state::Region;

/// Extents and constants of one attention layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionDims {
    /// H, query heads, a multiple of `kv_heads`.
    pub heads: usize,
    /// Hkv, key and value heads.
    pub kv_heads: usize,
    /// D, channels of a head.
    pub head_dim: usize,
    /// Factor on q·k, usually 1/√D.
    pub scale: f64,
    /// W, how many keys a query sees, itself included; `None` for all.
    pub window: Option<usize>,
    /// A fault of transformers 4.x, reproduced: see [`Self::seen_in_cut_prompt`].
    pub cuts_prompt: bool,
    /// r, how many leading channels of a head are rotated; even, at most D, 0 for none.
    pub rotary: usize,
    /// Base of the rotary frequencies.
    pub rope_base: f64,
}

impl AttentionDims {
    /// H · D, the width of queries and of the output.
    pub const fn query_width(&self) -> usize {
        self.heads.saturating_mul(self.head_dim)
    }

    /// Hkv · D, the width of keys and of values.
    pub const fn kv_width(&self) -> usize {
        self.kv_heads.saturating_mul(self.head_dim)
    }

    /// D · (H + 2 Hkv), the width of q, k and v side by side.
    pub const fn qkv_width(&self) -> usize {
        self.query_width().saturating_add(self.kv_width().saturating_mul(2))
    }

    /// Where the key or value of a query head begins in a row of the cache.
    const fn kv_offset(&self, head: usize) -> usize {
        head / (self.heads / self.kv_heads) * self.head_dim
    }

    /// The positions that the token at `position` sees.
    pub fn seen(&self, position: usize) -> Range<usize> {
        let end = position.saturating_add(1);
        let first = self.window.map_or(0, |window| end.saturating_sub(window));
        first..end
    }

    /// What the token at `position` of a prompt of `tokens` sees under `cuts_prompt`, if the prompt is longer
    /// than the window; `None` if it is not, and [`Self::seen`] holds.
    ///
    /// transformers 4.x cuts the keys to the last W of the prompt, but the mask to its first W columns. So a
    /// query sees the key in place j of those W if j ≤ its position: early queries see keys of their future,
    /// queries from W − 1 on see all W. The prompt is the call that begins at position 0.
    pub fn seen_in_cut_prompt(&self, position: usize, tokens: usize) -> Option<Range<usize>> {
        let window = self.window.filter(|&window| self.cuts_prompt && tokens > window)?;
        let first = tokens - window;
        Some(first..first + window.min(position.saturating_add(1)))
    }

    /// The positions that the token in place `index` of a sequence's call sees.
    pub fn seen_in_call(&self, sequence: &Sequence, index: usize) -> Range<usize> {
        let position = sequence.position + index;
        let cut = match sequence.position {
            0 => self.seen_in_cut_prompt(position, sequence.rows.len()),
            _ => None,
        };
        cut.unwrap_or_else(|| self.seen(position))
    }

    /// Checks a call: the extents, that there are as many elements of `qkv`, of the slab that the cache lies in and
    /// of `out`, and that the cache has a row for every position that a token sees.
    ///
    /// # Errors
    /// The first that does not fit.
    pub fn check_call(
        &self,
        sequences: &Sequences<'_>,
        (kv, region): (&KvCacheDims, &Region),
        (qkv, slab, out): (usize, usize, usize),
    ) -> Result<(), ShapeError> {
        let operation = "grouped_query_attention";
        let rows = sequences.rows();
        self.check()?;
        enough(operation, "qkv", rows.saturating_mul(self.qkv_width()), qkv)?;
        enough(operation, "out", rows.saturating_mul(self.query_width()), out)?;
        same(operation, "cache", kv.elements(), region.elements)?;
        same(operation, "cache width", self.kv_width(), kv.width)?;
        enough(operation, "cache rows", 1, kv.rows)?;
        for sequence in sequences.iter() {
            enough(operation, "state", region.slot(sequence.slot).end, slab)?;
            let tokens = sequence.rows.len();
            enough(operation, "positions", sequence.position, usize::MAX - tokens)?;
            // No token sees more than the last.
            let most = self.seen_in_call(&sequence, tokens - 1).len();
            enough(operation, "cache rows", most, kv.rows)?;
        }
        Ok(())
    }

    /// Checks that nothing is 0, that Hkv divides H, that r is even and fits.
    ///
    /// # Errors
    /// The first extent that does not fit.
    pub fn check(&self) -> Result<(), ShapeError> {
        let operation = "grouped_query_attention";
        let least = self.heads.min(self.kv_heads).min(self.head_dim);
        enough(operation, "extents", 1, least.min(self.window.unwrap_or(1)))?;
        same(operation, "heads", 0, self.heads % self.kv_heads)?;
        same(operation, "rotary dimensions", 0, self.rotary % 2)?;
        enough(operation, "head size", self.rotary, self.head_dim)
    }
}

/// The softmax weights of one head for the token whose query of that head \[D\] is given: an element of `weights` for
/// every position seen, of which the caller has checked that the cache holds them.
pub(crate) fn weigh<R: Real>(
    dims: &AttentionDims,
    head: usize,
    seen: Range<usize>,
    query: &[R],
    (cache_dims, cache): (&KvCacheDims, &[R]),
    weights: &mut [R],
) {
    let scale = R::from_f64(dims.scale);
    let offset = dims.kv_offset(head);
    for (weight, s) in weights.iter_mut().zip(seen) {
        *weight = scale * dot(query, &cache[cache_dims.offset(s) + offset..][..dims.head_dim]);
    }
    softmax(weights);
}

/// One token that sees the positions `seen`: `query` and `out` \[H, D\], `cache` the layer's keys and values
/// with those of every position seen in place. `scores` has an element for every token seen; what it held
/// does not matter.
///
/// Scores, softmax and the sum over values run from the oldest token to the newest, in the scalar type.
///
/// # Errors
/// Wrong lengths; more positions seen than the cache has rows.
pub fn grouped_query_attention<R: Real>(
    dims: &AttentionDims,
    seen: Range<usize>,
    query: &[R],
    (cache_dims, cache): (&KvCacheDims, &[R]),
    scores: &mut [R],
    out: &mut [R],
) -> Result<(), ShapeError> {
    let operation = "grouped_query_attention";
    let AttentionDims { head_dim, .. } = *dims;
    let count = seen.len();
    dims.check()?;
    same(operation, "query", dims.query_width(), query.len())?;
    same(operation, "out", dims.query_width(), out.len())?;
    same(operation, "cache", cache_dims.elements(), cache.len())?;
    same(operation, "cache width", dims.kv_width(), cache_dims.width)?;
    enough(operation, "cache rows", count, cache_dims.rows)?;
    enough(operation, "scores", count, scores.len())?;
    let scores = &mut scores[..count];
    let (_, values) = cache.split_at(cache.len() / 2);
    let heads = query.chunks_exact(head_dim).zip(out.chunks_exact_mut(head_dim));
    for (head, (query, out)) in heads.enumerate() {
        let offset = dims.kv_offset(head);
        weigh(dims, head, seen.clone(), query, (cache_dims, cache), scores);
        out.fill(R::ZERO);
        for (&weight, s) in scores.iter().zip(seen.clone()) {
            let value = &values[cache_dims.offset(s) + offset..][..head_dim];
            for (out, &v) in out.iter_mut().zip(value) {
                *out += weight * v;
            }
        }
    }
    Ok(())
}
