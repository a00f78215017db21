//! Few queries of every sequence: each block of the cache is read once, by whichever thread, and what the blocks give
//! is merged in order.

use core::ops::Range;

use longseq_core::batch::{Sequence, Sequences};
use rayon::prelude::*;

use super::{
    call::{Call, OWN, Own},
    panels::{KEYS, Lines},
    prefill::{blocks, store},
    softmax::{begin, merge, stride},
    step::{self, is_step},
};
use crate::{floats::Floats, gemm::MR};

/// Queries of one key-value head that count as few, beyond those of one token.
pub const FEW: usize = 4 * MR;

/// Elements of the states of one sequence's queries in all blocks, at most, beyond those of one token.
pub const MOST_STATES: usize = 1 << 20;

/// Products and elements that a thread takes at once, at least.
const LEAST: usize = 1 << 14;

/// Whether a sequence has few queries.
pub fn is_few(call: &Call<'_>, sequence: &Sequence) -> bool {
    let tokens = sequence.rows.len();
    let states = || {
        let blocks = blocks(call.seen_by(sequence, 0..tokens), KEYS).len();
        blocks * call.dims.kv_heads * call.states(tokens)
    };
    tokens == 1 || tokens * call.group() <= FEW && states() <= MOST_STATES
}

/// Working memory.
#[derive(Debug, Default)]
pub struct Decode {
    pub jobs: Vec<Job>,
    /// The states of each job's queries.
    pub states: Floats,
    /// Those of all blocks of one head.
    pub merged: Floats,
}

/// Some keys of neighbouring heads, from `head` on.
#[derive(Debug)]
pub struct Job {
    sequence: Sequence,
    keys: Range<usize>,
    head: usize,
}

impl Decode {
    /// Attends with every token of all sequences that have few: of those with one together, of others one by one.
    pub fn run(&mut self, call: &Call<'_>, sequences: &Sequences<'_>, out: &mut [f32]) {
        let ones = |steps: bool| {
            let ones = sequences.iter().filter(|of| of.rows.len() == 1);
            ones.filter(move |of| is_step(of) == steps)
        };
        self.attend(call, ones(true), (true, 1), out);
        self.attend(call, ones(false), (false, 1), out);
        for sequence in sequences.iter().filter(|of| of.rows.len() > 1 && is_few(call, of)) {
            let tokens = sequence.rows.len();
            self.attend(call, [sequence].into_iter(), (false, tokens), out);
        }
    }

    /// Attends with `most` tokens of each sequence at most; all are steps or all are not.
    fn attend(
        &mut self,
        call: &Call<'_>,
        sequences: impl Iterator<Item = Sequence>,
        (steps, most): (bool, usize),
        out: &mut [f32],
    ) {
        let heads = call.dims.kv_heads;
        let (keys, together) = if steps { (step::KEYS, heads) } else { (KEYS, call.together()) };
        self.jobs.clear();
        for sequence in sequences {
            let seen = call.seen_by(&sequence, 0..sequence.rows.len());
            for block in blocks(seen.clone(), keys) {
                let keys = seen.start.max(block * keys)..seen.end.min((block + 1) * keys);
                let job = |head| Job { sequence: sequence.clone(), keys: keys.clone(), head };
                self.jobs.extend((0..heads).step_by(together).map(job));
            }
        }
        if self.jobs.is_empty() {
            return;
        }
        let room = call.states(most);
        let states = self.states.room(self.jobs.len() * together * room);
        let each = together * call.block.head_dim * keys * (2 + most * call.group());
        let jobs = states.par_chunks_mut(together * room).zip(&self.jobs);
        jobs.with_min_len(1 + LEAST / each).for_each(|(states, job)| {
            OWN.with_borrow_mut(|own| {
                if steps {
                    let Job { sequence, keys, .. } = job;
                    step::attend(call, sequence, keys.clone(), &mut own.query, states);
                } else {
                    job.run(call, own, states.chunks_exact_mut(room));
                }
            });
        });
        let merged = self.merged.room(room);
        let (head_dim, width) = (call.block.head_dim, call.dims.query_width());
        let stride = stride(head_dim);
        let mut rest = &*states;
        for jobs in self.jobs.chunk_by(|a, b| a.sequence.slot == b.sequence.slot) {
            let (states, after) = rest.split_at(jobs.len() * together * room);
            rest = after;
            let rows = jobs[0].sequence.rows.clone();
            let merged = &mut merged[..call.states(rows.len())];
            let out = &mut out[rows.start * width..rows.end * width];
            for head in 0..heads {
                begin(head_dim, merged);
                for states in states.chunks_exact(room).skip(head).step_by(heads) {
                    call.isa.run(
                        #[inline(always)]
                        || {
                            let rows = merged.chunks_exact_mut(stride);
                            let rows = rows.zip(states.chunks_exact(stride));
                            rows.for_each(|(earlier, later)| merge(head_dim, earlier, later));
                        },
                    );
                }
                store(call, head, merged, out);
            }
        }
    }
}

impl Job {
    /// Attends with the query heads of each key-value head, whose states are in `states`.
    fn run<'s>(
        &self,
        call: &Call<'_>,
        own: &mut Own,
        states: impl ExactSizeIterator<Item = &'s mut [f32]>,
    ) {
        let Self { sequence, keys, head } = self;
        let (block, heads) = (keys.start / KEYS, states.len());
        let pack = |_: usize, lines: Lines<'_>| call.pack(sequence, *head, block, lines);
        // As one share: while this thread's memory is lent out, none of its work may be another job.
        own.panels.fill(call.block, (heads, heads), pack);
        for (other, states) in (0..).zip(states) {
            let tokens = 0..sequence.rows.len();
            let (mut queries, panels) = own.queries(call, sequence, tokens, head + other);
            queries.attend(block, panels.block(call.block, other));
            let found = queries.states();
            states[..found.len()].copy_from_slice(found);
        }
    }
}
