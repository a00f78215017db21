//! One query a head: keys and values are read once, where they lie, in f32.

use core::ops::Range;

use longseq_core::{attention::grouped_query_attention::AttentionDims, batch::Sequence};
use pulp::Scalar;

use super::{
    call::Call,
    softmax::{TAIL, Weighed, exp2, stride},
};
use crate::{GRID, floats::Floats, numeric::math::pairwise};

/// Keys that a thread takes at once.
pub const KEYS: usize = 32;

/// Parts of a sum.
const LANES: usize = 16;

/// Whether a sequence goes on by one token. The first token of a piece of a text, which may be as short, gets what
/// it would get in a longer one.
pub const fn is_step(sequence: &Sequence) -> bool {
    sequence.rows.end - sequence.rows.start == 1 && !sequence.position.is_multiple_of(GRID)
}

/// Elements that a thread works in: queries and scores.
pub const fn work(dims: &AttentionDims) -> usize {
    dims.query_width().saturating_add(dims.heads.saturating_mul(KEYS))
}

/// What some keys, at most [`KEYS`], give every query head: a state each.
pub fn attend(
    call: &Call<'_>,
    sequence: &Sequence,
    keys: Range<usize>,
    work: &mut Floats,
    states: &mut [f32],
) {
    let (heads, head_dim) = (call.dims.heads, call.block.head_dim);
    let stride = stride(head_dim);
    let (query, scores) = work.room(self::work(call.dims)).split_at_mut(heads * head_dim);
    // A query head's part of a row of keys or of values.
    let part = |head: usize| head / call.group() * head_dim;
    call.isa.run(
        #[inline(always)]
        || {
            call.query(sequence.rows.start, 0, query);
            for (i, position) in keys.clone().enumerate() {
                let [key, _] = call.key_and_value(sequence, position);
                for (head, query) in query.chunks_exact(head_dim).enumerate() {
                    scores[head * KEYS + i] = dot(query, &key[part(head)..][..head_dim]);
                }
            }
            for (scores, state) in scores.chunks_exact_mut(KEYS).zip(states.chunks_mut(stride)) {
                let weighed = weigh(&mut scores[..keys.len()]);
                state.fill(0.0);
                state[stride - TAIL] = weighed.most;
                state[stride - TAIL + 1] = weighed.sum;
            }
            for (i, position) in keys.clone().enumerate() {
                let [_, value] = call.key_and_value(sequence, position);
                for (head, state) in states.chunks_exact_mut(stride).enumerate() {
                    let weight = scores[head * KEYS + i];
                    let value = &value[part(head)..][..head_dim];
                    state.iter_mut().zip(value).for_each(|(sum, v)| *sum += weight * v);
                }
            }
        },
    );
}

/// Σ a b, element i in part i mod [`LANES`], the parts pairwise.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (whole, rest) = a.as_chunks::<LANES>();
    let (others, other) = b.as_chunks::<LANES>();
    for (a, b) in whole.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(rest).zip(other) {
        *sum += a * b;
    }
    pairwise(sums)
}

/// Makes weights 2^(score − largest score) of some scores.
#[inline(always)]
fn weigh(scores: &mut [f32]) -> Weighed {
    let most = scores.iter().fold(f32::MIN, |most, &score| if score > most { score } else { most });
    let mut sum = 0.0;
    for score in scores {
        *score = exp2(Scalar, *score - most);
        sum += *score;
    }
    Weighed { most, sum }
}
