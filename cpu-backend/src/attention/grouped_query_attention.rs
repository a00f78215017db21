use core::ops::Range;

use longseq_core::{
    attention::{grouped_query_attention::AttentionDims, kv_cache::KvCacheDims},
    backend::GroupedQueryAttention,
    batch::{Sequence, Sequences},
    state::StateMut,
};
use rayon::prelude::*;

use super::{Scratch, call::Call, decode::is_few, panels::BlockDims, prefill::prefill};
use crate::{Cpu, Result};

/// Elements that a thread rotates or copies at once, at least.
const LEAST: usize = 1 << 15;

impl GroupedQueryAttention for Cpu {
    fn grouped_query_attention(
        &mut self,
        dims: &AttentionDims,
        sequences: &Sequences<'_>,
        qkv: &[f32],
        kv: &KvCacheDims,
        cache: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result {
        let StateMut { buffer, region } = cache;
        dims.check_call(sequences, (kv, &region), (qkv.len(), buffer.len(), out.len()))?;
        let rows = sequences.rows();
        if rows == 0 {
            return Ok(());
        }
        let in_pairs = self.multiplies_pairs();
        let Self { isa, work, attention, .. } = self;
        let Scratch { rotations, panels, decode } = attention;
        let isa = *isa;
        rotations.prepare(dims, sequences);
        let keys = work.room(rows * kv.width);
        let least = (LEAST / kv.width).max(1);
        let rotated = keys.par_chunks_mut(kv.width).enumerate().with_min_len(least);
        rotated.for_each(|(row, key)| {
            let first = row * dims.qkv_width() + dims.query_width();
            key.copy_from_slice(&qkv[first..][..key.len()]);
            isa.run(
                #[inline(always)]
                || rotations.rotate(row, key, dims.head_dim),
            );
        });
        let block = BlockDims { head_dim: dims.head_dim, in_pairs };
        let (keys, cache, rotations) = (&*keys, &*buffer, &*rotations);
        let call = Call { isa, dims, block, kv, qkv, keys, rotations, cache, region };
        for sequence in sequences.iter().filter(|sequence| !is_few(&call, sequence)) {
            let rows =
                sequence.rows.start * dims.query_width()..sequence.rows.end * dims.query_width();
            prefill(&call, &sequence, panels, &mut out[rows]);
        }
        decode.run(&call, sequences, out);
        for sequence in sequences.iter() {
            store(dims, (kv, keys), qkv, &sequence, &mut buffer[region.slot(sequence.slot)]);
        }
        Ok(())
    }
}

/// Puts the newest keys, rotated, and values of a call into their cache: as many as it has rows.
fn store(
    dims: &AttentionDims,
    (kv, keys): (&KvCacheDims, &[f32]),
    qkv: &[f32],
    sequence: &Sequence,
    cache: &mut [f32],
) {
    let tokens = sequence.rows.len();
    let kept = tokens.min(kv.rows);
    let first = tokens - kept;
    let begin = (sequence.position + first) % kv.rows;
    let before_end = kept.min(kv.rows - begin);
    let (cached, cached_values) = cache.split_at_mut(kv.elements() / 2);
    let mut copy = |tokens: Range<usize>, row: usize| {
        let place = row * kv.width..(row + tokens.len()) * kv.width;
        let keys = &keys[(sequence.rows.start + tokens.start) * kv.width..];
        let rows = cached[place.clone()].par_chunks_mut(kv.width);
        let rows = rows.zip(cached_values[place].par_chunks_mut(kv.width)).enumerate();
        rows.with_min_len((LEAST / kv.width).max(1)).for_each(|(index, (key, value))| {
            key.copy_from_slice(&keys[index * kv.width..][..kv.width]);
            let row = sequence.rows.start + tokens.start + index;
            let first = row * dims.qkv_width() + dims.query_width() + kv.width;
            value.copy_from_slice(&qkv[first..][..kv.width]);
        });
    };
    copy(first..first + before_end, begin);
    copy(first + before_end..tokens, 0);
}
