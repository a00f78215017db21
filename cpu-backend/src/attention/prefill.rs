//! Many queries of one sequence: keys and values are packed once for all of them.

use core::ops::Range;

use longseq_core::batch::Sequence;
use rayon::prelude::*;

use super::{
    call::{Call, OWN},
    panels::{KEYS, Panels},
    softmax::{mean, stride},
};
use crate::gemm::MR;

/// Rows that meet a block while it lies in a thread's cache, about.
pub const ROWS: usize = 8 * MR;

/// Lines of panels that are made at once, about: so many heads as fit are done together.
const LINES: usize = 1 << 19;

/// Key-value heads that are done together where each has so many lines; `read` of them are read together.
pub fn together(lines: usize, read: usize, heads: usize) -> usize {
    (LINES / lines / read * read).clamp(read, heads)
}

/// Attends with every token of a sequence; `out` are its rows.
pub fn prefill(call: &Call<'_>, sequence: &Sequence, panels: &mut Panels, out: &mut [f32]) {
    let tokens = sequence.rows.len();
    let blocks = blocks(call.seen_by(sequence, 0..tokens), KEYS);
    let heads = call.dims.kv_heads;
    let read = call.together();
    let together = together(blocks.len() * call.block.lines(), read, heads);
    let least = (ROWS / call.group()).max(1);
    let share = tokens.div_ceil(4 * rayon::current_num_threads()).next_multiple_of(MR).min(least);
    for first in (0..heads).step_by(together) {
        let heads = first..heads.min(first + together);
        panels.fill(call.block, (heads.len() * blocks.len(), read), |index, lines| {
            let (head, block) = (heads.start + index % heads.len(), index / heads.len());
            call.pack(sequence, head, blocks.start + block, lines);
        });
        let packed = |head: usize, block: usize| {
            let index = (block - blocks.start) * heads.len() + head - heads.start;
            panels.block(call.block, index)
        };
        let width = call.dims.query_width();
        let shares = out.par_chunks_mut(share * width).enumerate();
        shares.for_each(|(number, out)| {
            let tokens = number * share..number * share + out.len() / width;
            OWN.with_borrow_mut(|own| {
                for head in heads.clone() {
                    let (mut queries, _) = own.queries(call, sequence, tokens.clone(), head);
                    for block in self::blocks(call.seen_by(sequence, tokens.clone()), KEYS) {
                        queries.attend(block, packed(head, block));
                    }
                    store(call, head, queries.states(), out);
                }
            });
        });
    }
}

/// The blocks of so many keys in which some keys lie.
pub fn blocks(keys: Range<usize>, size: usize) -> Range<usize> {
    keys.start / size..keys.end.div_ceil(size)
}

/// Writes what the query heads of a key-value head got to their columns of `out`.
pub fn store(call: &Call<'_>, head: usize, states: &[f32], out: &mut [f32]) {
    let (head_dim, group) = (call.block.head_dim, call.group());
    let stride = stride(head_dim);
    let rows = out.chunks_exact_mut(call.dims.query_width());
    call.isa.run(
        #[inline(always)]
        || {
            for (out, states) in rows.zip(states.chunks_exact(group * stride)) {
                let out =
                    out[head * group * head_dim..][..group * head_dim].chunks_exact_mut(head_dim);
                out.zip(states.chunks_exact(stride)).for_each(|(out, state)| mean(state, out));
            }
        },
    );
}
