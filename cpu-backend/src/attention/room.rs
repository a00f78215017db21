//! How much memory attention works in.

use std::collections::TryReserveError;

use longseq_core::attention::grouped_query_attention::AttentionDims;

use super::{
    Scratch,
    call::{OWN, together},
    decode::{FEW, Job, MOST_STATES},
    panels::{BlockDims, KEYS, Panels},
    prefill::{self, ROWS},
    softmax::stride,
    step,
};
use crate::{
    gemm::{LhsRoom, Line, MR},
    isa::Isa,
    memory::{Extents, Kinds, reserve},
};

/// Room for attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Elements of rotated keys, in `work`.
    pub work: usize,
    /// Pairs that are rotated, and rows of them.
    rotations: [usize; 2],
    in_pairs: bool,
    /// Lines of panels.
    panels: usize,
    jobs: usize,
    states: usize,
    merged: usize,
    own: Own,
}

/// Room of each thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Own {
    query: usize,
    queries: LhsRoom,
    states: usize,
    weights: LhsRoom,
    /// Lines of panels.
    panels: usize,
}

impl Room {
    /// For calls of these extents; `bf16` says whether attention may round to it.
    pub fn new(isa: Isa, bf16: bool, dims: &AttentionDims, extents: &Extents) -> Self {
        let Extents { tokens, slots, capacity, .. } = *extents;
        let (head_dim, heads) = (dims.head_dim, dims.kv_heads.max(1));
        let in_pairs = bf16 && isa.has_bf16();
        let kinds = Kinds { bf16: in_pairs, f32: !in_pairs };
        let lines = BlockDims { head_dim, in_pairs }.lines();
        let in_steps = blocks(dims.window, 1, capacity, step::KEYS);
        let blocks = blocks(dims.window, tokens, capacity, KEYS);
        let read = together(dims);
        let at_once = |blocks| prefill::together(blocks * lines, read, heads) * blocks * lines;
        let group = dims.heads / heads;
        // States of one token's queries, and tokens that are few.
        let token = group.saturating_mul(stride(head_dim));
        let few = (FEW / group.max(1)).min(tokens).max(1);
        let states = |blocks: usize| blocks.saturating_mul(heads).saturating_mul(token);
        let in_blocks = states(blocks);
        let rows = ROWS.max(FEW).max(group);
        Self {
            work: tokens.saturating_mul(dims.kv_width()),
            rotations: [dims.rotary / 2, tokens],
            in_pairs,
            panels: (1..=blocks).map(at_once).max().unwrap_or(0),
            jobs: slots.saturating_mul(in_steps.max(blocks.saturating_mul(heads.div_ceil(read)))),
            states: slots
                .saturating_mul(in_blocks.max(states(in_steps)))
                .max(few.saturating_mul(in_blocks).min(MOST_STATES)),
            merged: few.saturating_mul(token),
            own: Own {
                query: rows.saturating_mul(head_dim).max(step::work(dims)),
                queries: LhsRoom::new(isa, kinds, (rows, head_dim)),
                states: rows.saturating_mul(stride(head_dim)),
                weights: LhsRoom::new(isa, kinds, (MR, KEYS)),
                panels: read.saturating_mul(lines),
            },
        }
    }

    /// Bytes beside `work`, but for those of each thread.
    pub const fn bytes(&self) -> usize {
        let [pairs, rows] = self.rotations;
        let table = rows.saturating_mul(pairs).saturating_mul(2);
        let elements = pairs.saturating_add(table).saturating_add(self.states);
        let elements = elements.saturating_add(self.merged).saturating_mul(size_of::<f32>());
        let others = rows.saturating_mul(size_of::<usize>());
        let jobs = self.jobs.saturating_mul(size_of::<Job>());
        let panels = self.panels.saturating_mul(size_of::<Line<f32>>());
        elements.saturating_add(others).saturating_add(jobs).saturating_add(panels)
    }

    /// Bytes of each thread.
    pub const fn own_bytes(&self) -> usize {
        let Own { query, queries, states, weights, panels } = self.own;
        let elements = query.saturating_add(states).saturating_mul(size_of::<f32>());
        let sides = queries.bytes().saturating_add(weights.bytes());
        let panels = panels.saturating_mul(size_of::<Line<f32>>());
        elements.saturating_add(sides).saturating_add(panels)
    }

    /// Makes room.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve(&self, scratch: &mut Scratch) -> Result<(), TryReserveError> {
        let Scratch { rotations, panels, decode } = scratch;
        let [pairs, rows] = self.rotations;
        reserve(&mut rotations.frequencies, pairs)?;
        reserve(&mut rotations.positions, rows)?;
        reserve(&mut rotations.table, rows.saturating_mul(pairs).saturating_mul(2))?;
        self.reserve_panels(panels, self.panels)?;
        reserve(&mut decode.jobs, self.jobs)?;
        decode.states.reserve(self.states)?;
        decode.merged.reserve(self.merged)
    }

    /// The same on the calling thread.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve_own(&self) -> Result<(), TryReserveError> {
        OWN.with_borrow_mut(|own| {
            own.query.reserve(self.own.query)?;
            own.queries.reserve(self.own.queries)?;
            own.states.reserve(self.own.states)?;
            own.tiles.lhs.reserve(self.own.weights)?;
            self.reserve_panels(&mut own.panels, self.own.panels)
        })
    }

    fn reserve_panels(&self, panels: &mut Panels, lines: usize) -> Result<(), TryReserveError> {
        if self.in_pairs {
            reserve(&mut panels.pairs, lines)
        } else {
            reserve(&mut panels.singles, lines)
        }
    }
}

/// Blocks of `keys` in which the keys lie that `tokens` tokens of a sequence see, at most.
fn blocks(window: Option<usize>, tokens: usize, capacity: usize, keys: usize) -> usize {
    match window {
        // Wherever they begin.
        Some(window) if window <= capacity => {
            let seen = window.saturating_add(tokens).saturating_sub(1);
            seen.saturating_add(keys - 2) / keys + 1
        }
        _ => capacity.div_ceil(keys),
    }
}
