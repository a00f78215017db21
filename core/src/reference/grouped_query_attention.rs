use super::{Reference, Result, check_slots};
use crate::attention::grouped_query_attention::{AttentionDims, grouped_query_attention, weigh};
use crate::attention::kv_cache::KvCacheDims;
use crate::attention::rope::{rope, rope_frequencies, rope_rotation};
use crate::backend::GroupedQueryAttention;
use crate::batch::Sequences;
use crate::error::{enough, same};
use crate::numeric::Real;
use crate::state::StateMut;

impl<R: Real> GroupedQueryAttention for Reference<'_, R> {
    fn grouped_query_attention(
        &mut self,
        dims: &AttentionDims,
        sequences: &Sequences<'_>,
        qkv: &[R],
        kv: &KvCacheDims,
        cache: StateMut<'_, [R]>,
        out: &mut [R],
    ) -> Result {
        let operation = "grouped_query_attention";
        let (rows, q_width, width) = (sequences.rows(), dims.query_width(), dims.qkv_width());
        dims.check()?;
        enough(operation, "qkv", rows.saturating_mul(width), qkv.len())?;
        enough(operation, "out", rows.saturating_mul(q_width), out.len())?;
        same(operation, "cache", kv.elements(), cache.region.elements)?;
        same(operation, "cache width", dims.kv_width(), kv.width)?;
        enough(operation, "cache rows", 1, kv.rows)?;
        check_slots(operation, sequences, &cache)?;
        let pairs = dims.rotary / 2;
        let needed = kv.rows.saturating_add(3 * pairs).saturating_add(q_width);
        let (work, mut observer) = self.mixer(needed)?;
        let (scores, work) = work.split_at_mut(kv.rows);
        let (frequencies, work) = work.split_at_mut(pairs);
        let (cos, work) = work.split_at_mut(pairs);
        let (sin, query) = work.split_at_mut(pairs);
        rope_frequencies(dims.rope_base, frequencies);
        for sequence in sequences.iter() {
            let slot = &mut cache.buffer[cache.region.slot(sequence.slot)];
            let tokens = sequence.rows.len();
            let cut = |position| match sequence.position {
                0 => dims.seen_in_cut_prompt(position, tokens),
                _ => None,
            };
            // In a cut prompt every query meets the keys that the whole prompt leaves.
            let mut stored = 0;
            for (index, row) in sequence.rows.clone().enumerate() {
                let position = sequence.position + index;
                let seen = cut(position);
                let needed = if seen.is_some() { tokens } else { index + 1 };
                for (index, row) in sequence.rows.clone().enumerate().take(needed).skip(stored) {
                    let position = sequence.position + index;
                    let (k, v) = qkv[row * width + q_width..][..2 * kv.width].split_at(kv.width);
                    rope_rotation(position, frequencies, cos, sin);
                    store(dims, (k, v), (cos, sin), kv.offset(position), slot);
                }
                stored = needed;
                rope_rotation(position, frequencies, cos, sin);
                query.copy_from_slice(&qkv[row * width..][..q_width]);
                query.chunks_exact_mut(dims.head_dim).for_each(|head| rope(head, cos, sin));
                let seen = seen.unwrap_or_else(|| dims.seen(position));
                let out = &mut out[row * q_width..][..q_width];
                grouped_query_attention(dims, seen.clone(), query, (kv, slot), scores, out)?;
                if let Some(observer) = observer.as_mut().filter(|of| of.wants(position)) {
                    let weights = &mut scores[..seen.len()];
                    for (head, query) in query.chunks_exact(dims.head_dim).enumerate() {
                        weigh(dims, head, seen.clone(), query, (kv, slot), weights);
                        observer.attention(head, seen.clone(), weights);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Puts the key of one token, rotated, and its value into their cache, from `offset` on in each half.
fn store<R: Real>(
    dims: &AttentionDims,
    (k, v): (&[R], &[R]),
    (cos, sin): (&[R], &[R]),
    offset: usize,
    cache: &mut [R],
) {
    let (keys, values) = cache.split_at_mut(cache.len() / 2);
    let key = &mut keys[offset..][..k.len()];
    key.copy_from_slice(k);
    key.chunks_exact_mut(dims.head_dim).for_each(|head| rope(head, cos, sin));
    values[offset..][..v.len()].copy_from_slice(v);
}
