//! Attention against its definition; windows; the ring of a windowed cache.

use std::ops::Range;

use longseq_core::attention::grouped_query_attention::{AttentionDims, grouped_query_attention};
use longseq_core::attention::kv_cache::KvCacheDims;
use longseq_core::backend::GroupedQueryAttention;
use longseq_core::batch::Batch;
use longseq_core::reference::{Observe, Reference};
use longseq_core::state::{Region, StateMut};
use longseq_tests::golden::max_difference;
use proptest::prelude::*;

fn dims(window: Option<usize>) -> AttentionDims {
    let (heads, kv_heads, head_dim) = (4, 2, 3);
    AttentionDims {
        heads,
        kv_heads,
        head_dim,
        scale: 0.5,
        window,
        cuts_prompt: false,
        rotary: 2,
        rope_base: 100.0,
    }
}

/// One call over all tokens, with a cache of `capacity`; NaN wherever nothing should be read.
fn attend(dims: &AttentionDims, capacity: usize, qkv: &[f64], splits: &[usize]) -> Vec<f64> {
    observed(dims, (capacity, qkv), splits, None)
}

/// The same, looked at.
fn observed(
    dims: &AttentionDims,
    (capacity, qkv): (usize, &[f64]),
    splits: &[usize],
    mut observer: Option<&mut Weights>,
) -> Vec<f64> {
    let kv = KvCacheDims::new(dims, capacity);
    let mut cache = vec![f64::NAN; kv.elements()];
    let mut work = vec![f64::NAN; kv.rows + 64];
    let mut out = vec![];
    let mut start = 0;
    for &end in splits {
        let tokens = vec![0; end - start];
        let boundaries = [0, end - start];
        let batch = Batch::new(&tokens, &boundaries, &[0], &[]).unwrap();
        let region = Region { offset: 0, stride: kv.elements(), elements: kv.elements() };
        let state = StateMut { buffer: &mut cache[..], region };
        let mut piece = vec![f64::NAN; (end - start) * dims.query_width()];
        let rows = &qkv[start * dims.qkv_width()..end * dims.qkv_width()];
        Reference::new(&mut work)
            .observed(observer.as_deref_mut().map(|of| of as &mut dyn Observe<f64>))
            .grouped_query_attention(dims, &batch.sequences(&[start]), rows, &kv, state, &mut piece)
            .unwrap();
        out.extend(piece);
        start = end;
    }
    out
}

/// Weights of each head, from every token.
#[derive(Debug, Default)]
struct Weights(Vec<(Range<usize>, Vec<f64>)>);

impl Observe<f64> for Weights {
    fn mixer(&mut self) {}

    fn wants(&self, _: usize) -> bool {
        true
    }

    fn attention(&mut self, _: usize, seen: Range<usize>, weights: &[f64]) {
        self.0.push((seen, weights.to_vec()));
    }

    fn log_decay(&mut self, _: usize, _: usize, _: f64) {
        unreachable!("attention does not decay");
    }
}

/// Softmax-weighted means, straight from the definition, without rotation.
fn definition(dims: &AttentionDims, qkv: &[f64]) -> Vec<f64> {
    let (width, d) = (dims.qkv_width(), dims.head_dim);
    let (keys, values) = (dims.query_width(), dims.query_width() + dims.kv_width());
    let mut out = vec![];
    for (t, row) in qkv.chunks(width).enumerate() {
        let first = dims.window.map_or(0, |window| (t + 1).saturating_sub(window));
        for head in 0..dims.heads {
            let group = head / (dims.heads / dims.kv_heads);
            let at = |s: usize, base: usize, i: usize| qkv[s * width + base + group * d + i];
            let score = |s: usize| {
                let product: f64 = (0..d).map(|i| row[head * d + i] * at(s, keys, i)).sum();
                (dims.scale * product).exp()
            };
            let total: f64 = (first..=t).map(score).sum();
            out.extend(
                (0..d)
                    .map(|i| (first..=t).map(|s| score(s) / total * at(s, values, i)).sum::<f64>()),
            );
        }
    }
    out
}

fn rows() -> impl Strategy<Value = Vec<f64>> {
    (1..20_usize).prop_flat_map(|tokens| prop::collection::vec(-2.0..2.0, tokens * 24))
}

proptest! {
    #[test]
    fn equals_its_definition(qkv in rows(), window in prop::option::of(1..8_usize)) {
        let dims = AttentionDims { rotary: 0, ..dims(window) };
        let tokens = qkv.len() / dims.qkv_width();
        let found = attend(&dims, tokens, &qkv, &[tokens]);
        prop_assert!(max_difference(&found, &definition(&dims, &qkv)) < 1e-12);
    }

    #[test]
    fn an_observer_sees_the_weights_of_the_values(
        qkv in rows(),
        window in prop::option::of(1..8_usize),
        cut in any::<prop::sample::Index>(),
    ) {
        let dims = dims(window);
        let tokens = qkv.len() / dims.qkv_width();
        let cut = cut.index(tokens);
        let splits: Vec<usize> = [cut, tokens].into_iter().filter(|&end| end > 0).collect();
        let mut weights = Weights::default();
        let out = observed(&dims, (tokens, &qkv), &splits, Some(&mut weights));
        prop_assert_eq!(weights.0.len(), tokens * dims.heads);
        let (d, first_value) = (dims.head_dim, dims.query_width() + dims.kv_width());
        for (index, (seen, weights)) in weights.0.iter().enumerate() {
            let group = index % dims.heads / (dims.heads / dims.kv_heads);
            for i in 0..d {
                let value = |s: usize| qkv[s * dims.qkv_width() + first_value + group * d + i];
                let sum: f64 = seen.clone().zip(weights).map(|(s, w)| w * value(s)).sum();
                prop_assert!((sum - out[index * d + i]).abs() < 1e-12);
            }
            prop_assert_eq!(seen.clone(), dims.seen(index / dims.heads));
        }
    }

    #[test]
    fn nothing_before_the_window_is_read(qkv in rows(), window in 1..8_usize) {
        let dims = dims(Some(window));
        let tokens = qkv.len() / dims.qkv_width();
        let clean = attend(&dims, tokens, &qkv, &[tokens]);
        let mut spoilt = qkv.clone();
        let old = tokens.saturating_sub(window);
        spoilt[..old * dims.qkv_width()].fill(f64::NAN);
        let spoilt = attend(&dims, tokens, &spoilt, &[tokens]);
        // The last token's window begins just after what was spoilt.
        let last = (tokens - 1) * dims.query_width();
        prop_assert_eq!(&clean[last..], &spoilt[last..]);
    }

    #[test]
    fn a_ring_of_a_window_is_enough(
        qkv in rows(),
        window in 1..8_usize,
        cut in any::<prop::sample::Index>(),
    ) {
        // With window = capacity every row is kept, and the windowed definition applies.
        let ring = dims(Some(window));
        prop_assert_eq!(KvCacheDims::new(&ring, 1000).rows, window);
        let tokens = qkv.len() / ring.qkv_width();
        let cut = cut.index(tokens);
        let splits: Vec<usize> = [cut, tokens].into_iter().filter(|&end| end > 0).collect();
        let whole = attend(&ring, 1000, &qkv, &[tokens]);
        prop_assert_eq!(attend(&ring, 1000, &qkv, &splits), whole.clone());
        // Rotation by relative position: the same as an unwindowed cache cut off by hand.
        let all = dims(None);
        for t in 0..tokens {
            let first = (t + 1).saturating_sub(window);
            let width = ring.qkv_width();
            let part = &qkv[first * width..(t + 1) * width];
            let alone = attend(&all, 1000, part, &[t + 1 - first]);
            let q = ring.query_width();
            let (found, expected) = (&whole[t * q..(t + 1) * q], &alone[(t - first) * q..]);
            prop_assert!(max_difference(found, expected) < 1e-12);
        }
    }
}

/// transformers 4.x in words: all keys of the prompt's last W, masked as if they were its first W.
#[test]
fn a_cut_prompt_sees_the_last_keys_as_if_they_were_the_first() {
    let (window, tokens) = (3, 8);
    let ring = AttentionDims { rotary: 0, cuts_prompt: true, ..dims(Some(window)) };
    let width = ring.qkv_width();
    let qkv: Vec<f64> = (0..tokens * width).map(|i| ((i * i) as f64 * 0.7).sin()).collect();
    let found = attend(&ring, 1000, &qkv, &[tokens]);
    let all = AttentionDims { cuts_prompt: false, ..dims(None) };
    let all = AttentionDims { rotary: 0, ..all };
    for t in 0..tokens {
        // The keys seen, then the query itself in the place of the last.
        let seen = tokens - window..tokens - window + window.min(t + 1);
        let mut rows = qkv[seen.start * width..seen.end * width].to_vec();
        let last = rows.len() - width;
        let q = ring.query_width();
        rows[last..last + q].copy_from_slice(&qkv[t * width..t * width + q]);
        let alone = attend(&all, 1000, &rows, &[seen.len()]);
        let expected = &alone[(seen.len() - 1) * q..];
        assert!(max_difference(&found[t * q..(t + 1) * q], expected) < 1e-14, "{t}");
    }
    // A prompt within the window, and what follows one, is as it should be.
    let correct = AttentionDims { cuts_prompt: false, ..ring };
    for splits in [&[window, window + 1, tokens][..], &[1, tokens]] {
        let found = attend(&ring, 1000, &qkv, splits);
        assert_eq!(found, attend(&correct, 1000, &qkv, splits));
    }
}

#[test]
fn shapes_are_checked() {
    let dims = dims(None);
    let kv = KvCacheDims::new(&dims, 2);
    let call =
        |dims: &AttentionDims, position: usize, query: usize, cache: usize, scores: usize| {
            let (query, cache) = (vec![0.0; query], vec![0.0; cache]);
            let (mut scores, mut out) = (vec![0.0; scores], [0.0; 12]);
            grouped_query_attention(
                dims,
                dims.seen(position),
                &query,
                (&kv, &cache),
                &mut scores,
                &mut out,
            )
        };
    assert_eq!(call(&dims, 1, 12, 24, 2), Ok(()));
    assert!(call(&dims, 2, 12, 24, 3).is_err(), "a position beyond the cache");
    assert!(call(&dims, 1, 11, 24, 2).is_err());
    assert!(call(&dims, 1, 12, 23, 2).is_err());
    assert!(call(&dims, 1, 12, 24, 1).is_err());
    assert!(call(&AttentionDims { kv_heads: 0, ..dims }, 1, 12, 24, 2).is_err());
    assert!(call(&AttentionDims { heads: 3, ..dims }, 1, 9, 24, 2).is_err());
    assert!(call(&AttentionDims { rotary: 3, ..dims }, 1, 12, 24, 2).is_err());
}
