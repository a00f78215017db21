//! One call: where its queries, keys and values lie, and who sees what.

use core::{cell::RefCell, ops::Range};

use longseq_core::{
    attention::{grouped_query_attention::AttentionDims, kv_cache::KvCacheDims},
    batch::Sequence,
    state::Region,
};

use super::{
    block::Tiles,
    panels::{BlockDims, KEYS, Lines, Panels},
    rope::Rotations,
    softmax::{begin, stride},
};
use crate::{
    floats::Floats,
    gemm::{Lhs, NR, Panel},
    isa::Isa,
};

/// Neighbouring channels of a row that are read together, at least.
const CHANNELS: usize = 256;

/// A call, before its keys are in the cache.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    pub isa: Isa,
    pub dims: &'c AttentionDims,
    pub block: BlockDims,
    pub kv: &'c KvCacheDims,
    pub qkv: &'c [f32],
    /// Its keys, rotated, \[rows, Hkv, D\].
    pub keys: &'c [f32],
    pub rotations: &'c Rotations,
    /// What the calls before left: a later token of this one may take the place of a key that an earlier sees.
    pub cache: &'c [f32],
    pub region: Region,
}

/// A thread's own memory.
#[derive(Debug, Default)]
pub struct Own {
    pub query: Floats,
    pub queries: Lhs,
    pub states: Floats,
    pub tiles: Tiles,
    /// Of one block.
    pub panels: Panels,
}

thread_local! {
    /// Each thread's memory.
    pub static OWN: RefCell<Own> = RefCell::default();
}

impl Call<'_> {
    /// Query heads of a key-value head.
    pub const fn group(&self) -> usize {
        self.dims.heads / self.dims.kv_heads
    }

    /// What the sequence's token `index` of this call sees.
    pub fn seen(&self, sequence: &Sequence, index: usize) -> Range<usize> {
        self.dims.seen_in_call(sequence, index)
    }

    /// What some tokens see together. (Of later ones neither the first nor the last key comes earlier.)
    pub fn seen_by(&self, sequence: &Sequence, tokens: Range<usize>) -> Range<usize> {
        let first = self.seen(sequence, tokens.start).start;
        first..self.seen(sequence, tokens.end - 1).end
    }

    /// The key, rotated, and the value of a position that the sequence sees, \[Hkv, D\] each.
    #[inline(always)]
    pub fn key_and_value(&self, sequence: &Sequence, position: usize) -> [&[f32]; 2] {
        let kv = self.kv;
        match position.checked_sub(sequence.position) {
            Some(index) => {
                let row = sequence.rows.start + index;
                let value = row * self.dims.qkv_width() + self.dims.query_width() + kv.width;
                [&self.keys[row * kv.width..], &self.qkv[value..]]
            }
            None => {
                let start = self.region.slot(sequence.slot).start + kv.offset(position);
                [&self.cache[start..], &self.cache[start + kv.elements() / 2..]]
            }
        }
        .map(|rest| &rest[..kv.width])
    }

    /// The query heads of a row from `head` on, as many as `out` has room for, rotated, scaled so that scores count in
    /// units of ln 2.
    #[inline(always)]
    pub fn query(&self, row: usize, head: usize, out: &mut [f32]) {
        let head_dim = self.block.head_dim;
        let scale = (self.dims.scale * core::f64::consts::LOG2_E) as f32;
        let first = row * self.dims.qkv_width() + head * head_dim;
        out.copy_from_slice(&self.qkv[first..][..out.len()]);
        self.rotations.rotate(row, out, head_dim);
        out.iter_mut().for_each(|x| *x *= scale);
    }

    /// Packs a block of neighbouring key-value heads from `head` on, as far as tokens of this call see it.
    pub fn pack(&self, sequence: &Sequence, head: usize, block: usize, lines: Lines<'_>) {
        let first = block * KEYS;
        let seen = self.seen_by(sequence, 0..sequence.rows.len());
        let head_dim = self.block.head_dim;
        let at = |other: usize, slot: usize| {
            let offset = (head + other) * head_dim;
            seen.contains(&(first + slot)).then(|| {
                let both = self.key_and_value(sequence, first + slot);
                both.map(|heads| &heads[offset..][..head_dim])
            })
        };
        let slots = (seen.end - first).min(KEYS).next_multiple_of(NR);
        lines.pack(self.isa, self.block, slots, at);
    }

    /// Neighbouring key-value heads whose keys are read together.
    pub fn together(&self) -> usize {
        together(self.dims)
    }

    /// Elements of the states of some tokens' heads of one key-value head.
    pub const fn states(&self, tokens: usize) -> usize {
        tokens * self.group() * stride(self.block.head_dim)
    }
}

/// Neighbouring key-value heads whose keys are read together, so that enough of a row is; divides Hkv.
pub fn together(dims: &AttentionDims) -> usize {
    let heads = dims.kv_heads;
    let least = heads.div_ceil((dims.kv_width() / CHANNELS).max(1));
    (least..heads).find(|together| heads.is_multiple_of(*together)).unwrap_or(heads)
}

/// The queries of some tokens of a sequence that one key-value head answers, token by token.
#[derive(Debug)]
pub struct Queries<'q> {
    call: &'q Call<'q>,
    sequence: &'q Sequence,
    tokens: Range<usize>,
    queries: &'q Lhs,
    tiles: &'q mut Tiles,
    states: &'q mut [f32],
}

impl Own {
    /// Rotates, scales and packs queries; their states have seen nothing. Returns the room for a block, too.
    pub fn queries<'q>(
        &'q mut self,
        call: &'q Call<'q>,
        sequence: &'q Sequence,
        tokens: Range<usize>,
        head: usize,
    ) -> (Queries<'q>, &'q mut Panels) {
        let Self { query, queries, states, tiles, panels } = self;
        let (head_dim, group) = (call.block.head_dim, call.group());
        let width = group * head_dim;
        let query = query.room(tokens.len() * width);
        call.isa.run(
            #[inline(always)]
            || {
                for (index, query) in tokens.clone().zip(query.chunks_exact_mut(width)) {
                    call.query(sequence.rows.start + index, head * group, query);
                }
            },
        );
        let size = (tokens.len() * group, head_dim);
        queries
            .pack(call.isa, call.block.in_pairs, size, |row| &query[row * head_dim..][..head_dim]);
        let states = states.room(call.states(tokens.len()));
        begin(head_dim, states);
        (Queries { call, sequence, tokens, queries, tiles, states }, panels)
    }
}

impl Queries<'_> {
    /// Attends to a block.
    pub fn attend(&mut self, block: usize, lines: Panel<'_>) {
        let Self { call, sequence, tokens, .. } = self;
        let group = call.group();
        let seen = |row: usize| {
            let Range { start, end } = call.seen(sequence, tokens.start + row / group);
            let within = |key: usize| key.saturating_sub(block * KEYS).min(KEYS);
            within(start)..within(end)
        };
        self.tiles.attend(call.isa, call.block, self.queries, lines, seen, self.states);
    }

    /// \[tokens, H / Hkv\] states.
    pub fn states(&self) -> &[f32] {
        self.states
    }
}
