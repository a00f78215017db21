//! Attention of sequences in calls, as every backend's tests run it.

use std::borrow::{Borrow, BorrowMut};

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::attention::kv_cache::KvCacheDims;
use longseq_core::backend::GroupedQueryAttention;
use longseq_core::batch::Batch;
use longseq_core::numeric::Real;
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};

use crate::transfer::{Put, Transfer};

/// H query heads of size D, in groups, with everything else as most models have it.
pub fn dims((kv_heads, group): (usize, usize), head_dim: usize) -> AttentionDims {
    AttentionDims {
        heads: kv_heads * group,
        kv_heads,
        head_dim,
        scale: 1.0 / (head_dim as f64).sqrt(),
        window: None,
        cuts_prompt: false,
        rotary: head_dim / 2 * 2,
        rope_base: 10000.0,
    }
}

/// Sequences with their q, k and v.
#[derive(Clone, Debug)]
pub struct Case {
    /// Of the layer.
    pub dims: AttentionDims,
    /// Tokens that a slot can hold.
    pub capacity: usize,
    /// Of every sequence, \[tokens, H·D + 2 Hkv·D\].
    pub qkv: Vec<Vec<f32>>,
    /// Elements before the first slot's cache, and between two slots'.
    pub beside: (usize, usize),
}

/// The outputs of every sequence, and what the slab of their caches then holds.
pub type Outcome<R> = (Vec<Vec<R>>, Vec<R>);

impl Case {
    /// Random values, some of them large, from a seed.
    pub fn new(dims: AttentionDims, capacity: usize, tokens: &[usize], seed: u64) -> Self {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut uniform = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut value = move || {
            let (x, outlier) = (uniform(), uniform());
            if outlier > 0.98 { 8.0 * x } else { x }
        };
        let rows = |&tokens: &usize| (0..tokens * dims.qkv_width()).map(|_| value()).collect();
        Self { dims, capacity, qkv: tokens.iter().map(rows).collect(), beside: (3, 5) }
    }

    /// Of every sequence.
    pub fn tokens(&self) -> Vec<usize> {
        self.qkv.iter().map(|rows| rows.len() / self.dims.qkv_width()).collect()
    }

    /// Of a slot.
    pub fn kv(&self) -> KvCacheDims {
        KvCacheDims::new(&self.dims, self.capacity)
    }

    /// Runs the calls, each up to these tokens of every sequence; NaN wherever nothing should be read.
    pub fn run<B>(&self, backend: &mut B, calls: &[Vec<usize>]) -> Outcome<B::Scalar>
    where
        B: GroupedQueryAttention + Transfer,
    {
        self.run_with(backend, (B::put, B::put), calls).expect("calls that fit")
    }

    /// The same with a slab of caches that `slab` makes, and outputs that `out` makes.
    ///
    /// # Errors
    /// The first call's that fails.
    pub fn run_with<B>(
        &self,
        backend: &mut B,
        (slab, out): (Put<B>, Put<B>),
        calls: &[Vec<usize>],
    ) -> Result<Outcome<B::Scalar>, B::Error>
    where
        B: GroupedQueryAttention + Transfer,
    {
        let region = self.region();
        let elements = region.offset + region.stride * self.qkv.len();
        let mut cache = slab(backend, &vec![B::Scalar::from_f64(f64::NAN); elements]);
        let mut positions = vec![0; self.qkv.len()];
        let mut outputs = vec![vec![]; self.qkv.len()];
        for ends in calls {
            let found = self.call((backend, out), &mut cache, &mut positions, ends)?;
            outputs.iter_mut().zip(found).for_each(|(all, found)| all.extend(found));
        }
        Ok((outputs, backend.get(&cache)))
    }

    /// One call from these positions on, which it moves, to a buffer that `out` makes; returns the outputs of every
    /// sequence.
    ///
    /// # Errors
    /// The call's.
    pub fn call<B>(
        &self,
        (backend, out): (&mut B, Put<B>),
        cache: &mut B::Owned,
        positions: &mut [usize],
        ends: &[usize],
    ) -> Result<Vec<Vec<B::Scalar>>, B::Error>
    where
        B: GroupedQueryAttention + Transfer,
    {
        let (kv, region, width) = (self.kv(), self.region(), self.dims.qkv_width());
        let nan = B::Scalar::from_f64(f64::NAN);
        let slots: Vec<usize> = (0..ends.len()).filter(|&s| ends[s] > positions[s]).rev().collect();
        let mut rows = vec![];
        let mut boundaries = vec![0];
        for &slot in &slots {
            let piece = &self.qkv[slot][positions[slot] * width..ends[slot] * width];
            rows.extend(piece.iter().map(|&x| B::Scalar::from_f64(f64::from(x))));
            boundaries.push(rows.len() / width);
        }
        let total = rows.len() / width;
        rows.resize(rows.len() + 7, nan);
        let tokens = vec![0; total];
        let batch = Batch::new(&tokens, &boundaries, &slots, &[]).expect("a batch");
        let qkv = backend.put(&rows);
        let mut out = out(backend, &vec![nan; total * self.dims.query_width()]);
        backend.grouped_query_attention(
            &self.dims,
            &batch.sequences(positions),
            qkv.borrow(),
            &kv,
            StateMut { buffer: cache.borrow_mut(), region },
            out.borrow_mut(),
        )?;
        let out = backend.get(&out);
        let mut outputs = vec![vec![]; self.qkv.len()];
        for (&slot, bounds) in slots.iter().zip(boundaries.windows(2)) {
            let q = self.dims.query_width();
            outputs[slot].extend_from_slice(&out[bounds[0] * q..bounds[1] * q]);
            positions[slot] = ends[slot];
        }
        Ok(outputs)
    }

    /// Where the slots' caches lie in their slab.
    pub fn region(&self) -> Region {
        let (elements, (offset, between)) = (self.kv().elements(), self.beside);
        Region { offset, stride: elements + between, elements }
    }

    /// The same as the reference has it.
    pub fn reference(&self, calls: &[Vec<usize>]) -> Outcome<f64> {
        let work = self.kv().rows + 3 * self.dims.rotary + self.dims.query_width();
        self.run(&mut Reference::new(&mut vec![f64::NAN; work]), calls)
    }
}

/// Root mean square of the difference, relative to that of the expected values; infinite where a NaN is in one of them
/// alone.
pub fn relative(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let (mut difference, mut size) = (0.0, 1e-300);
    for (&x, &y) in found.iter().zip(expected) {
        if x.is_nan() != y.is_nan() {
            return f64::INFINITY;
        }
        if !y.is_nan() {
            difference += (f64::from(x) - y).powi(2);
            size += y * y;
        }
    }
    (difference / size).sqrt()
}

/// The bits of all values.
pub fn bits((outputs, cache): &Outcome<f32>) -> (Vec<Vec<u32>>, Vec<u32>) {
    let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    (outputs.iter().map(bits).collect(), bits(cache))
}
