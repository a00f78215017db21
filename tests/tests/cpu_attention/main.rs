//! Attention of the CPU backend against the reference, and its laws.

mod equivalence;
mod laws;
mod rounding;
mod shapes;

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::attention::kv_cache::KvCacheDims;
use longseq_core::backend::GroupedQueryAttention;
use longseq_core::batch::Batch;
use longseq_core::numeric::Real;
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::Cpu;
use longseq_cpu::gemm::Stored;
use longseq_cpu::isa::Isa;

/// H query heads of size D, in groups, with everything else as most models have it.
fn dims((kv_heads, group): (usize, usize), head_dim: usize) -> AttentionDims {
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
struct Case {
    dims: AttentionDims,
    capacity: usize,
    qkv: Vec<Vec<f32>>,
}

impl Case {
    /// Random values, some of them large, from a seed.
    fn new(dims: AttentionDims, capacity: usize, tokens: &[usize], seed: u64) -> Self {
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
        Self { dims, capacity, qkv: tokens.iter().map(rows).collect() }
    }

    fn tokens(&self) -> Vec<usize> {
        self.qkv.iter().map(|rows| rows.len() / self.dims.qkv_width()).collect()
    }

    fn kv(&self) -> KvCacheDims {
        KvCacheDims::new(&self.dims, self.capacity)
    }

    /// Runs the calls, each up to these tokens of every sequence; NaN wherever nothing should be read. Returns the
    /// outputs of every sequence and what its slot of the cache then holds.
    fn run<R: Real, B>(&self, backend: &mut B, calls: &[Vec<usize>]) -> (Vec<Vec<R>>, Vec<R>)
    where
        B: GroupedQueryAttention<Buffer = [R]>,
        B::Error: core::fmt::Debug,
    {
        let (kv, width) = (self.kv(), self.dims.qkv_width());
        let nan = R::from_f64(f64::NAN);
        let region = Region { offset: 3, stride: kv.elements() + 5, elements: kv.elements() };
        let mut cache = vec![nan; region.stride * self.qkv.len()];
        let mut positions = vec![0; self.qkv.len()];
        let mut outputs = vec![vec![]; self.qkv.len()];
        for ends in calls {
            let slots: Vec<usize> =
                (0..ends.len()).filter(|&s| ends[s] > positions[s]).rev().collect();
            let mut rows = vec![];
            let mut boundaries = vec![0];
            for &slot in &slots {
                let piece = &self.qkv[slot][positions[slot] * width..ends[slot] * width];
                rows.extend(piece.iter().map(|&x| R::from_f64(f64::from(x))));
                boundaries.push(rows.len() / width);
            }
            let total = rows.len() / width;
            rows.resize(rows.len() + 7, nan);
            let tokens = vec![0; total];
            let batch = Batch::new(&tokens, &boundaries, &slots, &[]).unwrap();
            let mut out = vec![nan; total * self.dims.query_width()];
            let state = StateMut { buffer: &mut cache[..], region };
            backend
                .grouped_query_attention(
                    &self.dims,
                    &batch.sequences(&positions),
                    &rows,
                    &kv,
                    state,
                    &mut out,
                )
                .unwrap();
            for (&slot, bounds) in slots.iter().zip(boundaries.windows(2)) {
                let q = self.dims.query_width();
                outputs[slot].extend_from_slice(&out[bounds[0] * q..bounds[1] * q]);
                positions[slot] = ends[slot];
            }
        }
        (outputs, cache)
    }

    fn cpu(&self, isa: Isa, stored: Stored, calls: &[Vec<usize>]) -> (Vec<Vec<f32>>, Vec<f32>) {
        self.run(&mut Cpu::new(isa).products_in(stored), calls)
    }

    fn reference(&self, calls: &[Vec<usize>]) -> (Vec<Vec<f64>>, Vec<f64>) {
        let work = self.kv().rows + 3 * self.dims.rotary + self.dims.query_width();
        self.run(&mut Reference::new(&mut vec![f64::NAN; work]), calls)
    }
}

/// The bits of all values.
fn bits((outputs, cache): &(Vec<Vec<f32>>, Vec<f32>)) -> (Vec<Vec<u32>>, Vec<u32>) {
    let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    (outputs.iter().map(bits).collect(), bits(cache))
}
