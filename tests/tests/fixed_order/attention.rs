//! Rotary attention.

use longseq_embedded::ops::{
    ATTENTION, Attention, CU_SEQLENS, FullAttention, POSITIONS, Rope, TOKENS, WindowedAttention,
};

use super::arithmetic::{ALL, Arithmetic, Flip};
use super::check;
use super::rows::softmax_row;
use super::sequences::{row, slot, tokens};

/// One head, turned: θ in f64, rounded, then t θ, sin and cos in f32.
fn rotated(head: &[f32], rotary: usize, base: f64, position: usize, how: Arithmetic) -> Vec<f32> {
    let (mut out, pairs) = (head.to_vec(), rotary / 2);
    for i in 0..pairs {
        let theta = libm::pow(base, -(i as f64) / pairs as f64);
        let angle = match how.0 {
            Some(Flip::Widened) => (position as f64 * theta) as f32,
            _ => position as f32 * theta as f32,
        };
        let (cos, sin) = (libm::cosf(angle), libm::sinf(angle));
        let (a, b) = (head[i], head[i + pairs]);
        out[i] = how.keep(how.add(-(b * sin), a, cos));
        out[i + pairs] = how.keep(how.add(b * cos, a, sin));
    }
    out
}

#[test]
fn rope() {
    check::<Rope>(
        |of, how| {
            let turn = |&at: &usize| rotated(&of.head, 2 * Rope::PAIRS, Rope::BASE, at, how);
            Rope::POSITIONS.iter().flat_map(turn).collect()
        },
        &[Flip::Contracted, Flip::Widened, Flip::Narrowed],
    );
}

/// The heads of a row of q, k and v, queries and keys turned.
fn heads(qkv: &[f32], position: usize, how: Arithmetic) -> [Vec<f32>; 3] {
    let d = ATTENTION.head_dim;
    let (q, kv) = qkv.split_at(ATTENTION.query_width());
    let (k, v) = kv.split_at(ATTENTION.kv_width());
    let turn = |head: &[f32]| rotated(head, ATTENTION.rotary, ATTENTION.rope_base, position, how);
    [q.chunks(d).flat_map(turn).collect(), k.chunks(d).flat_map(turn).collect(), v.to_vec()]
}

fn attend<const CACHE: usize>(of: &Attention<CACHE>, how: Arithmetic) -> Vec<f32> {
    let (mut cache, mut out) = (of.cache.to_vec(), Vec::new());
    let (rows, kv, d) = (Attention::<CACHE>::ROWS, ATTENTION.kv_width(), ATTENTION.head_dim);
    assert_eq!((CU_SEQLENS[2], POSITIONS), (TOKENS, [3, 0]));
    for (at, of_slot, position) in tokens() {
        let [q, k, v] = heads(row(&of.qkv, TOKENS, at), position, how);
        let (keys, values) = slot(&mut cache, of_slot).split_at_mut(rows * kv);
        keys[position % rows * kv..][..kv].copy_from_slice(&k);
        values[position % rows * kv..][..kv].copy_from_slice(&v);
        let first =
            Attention::<CACHE>::WINDOW.map_or(0, |window| (position + 1).max(window) - window);
        for (h, q) in q.chunks(d).enumerate() {
            let g = h / (ATTENTION.heads / ATTENTION.kv_heads) * d;
            let seen = || (first..=position).map(|s| s % rows * kv + g);
            let score = |at: usize| ATTENTION.scale as f32 * how.dot(q, &keys[at..][..d]);
            let weights = softmax_row(&seen().map(score).collect::<Vec<_>>(), how);
            for channel in 0..d {
                let each = weights.iter().zip(seen());
                let products: Vec<_> =
                    each.map(|(&weight, at)| (weight, values[at + channel])).collect();
                out.push(how.keep(how.sum(0.0, &products)));
            }
        }
    }
    out.extend(cache);
    out
}

#[test]
fn grouped_query_attention() {
    check::<FullAttention>(attend, &ALL);
    check::<WindowedAttention>(attend, &ALL);
}
