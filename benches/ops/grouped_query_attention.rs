//! Attention over 2,048 tokens, of which those of earlier calls are in the cache.

use std::ops::Range;

use longseq_core::{
    attention::{grouped_query_attention::AttentionDims, kv_cache::KvCacheDims},
    backend::Backend,
    batch::Sequences,
    numeric::Real,
};

use crate::{
    bench::Bench,
    operation::{Data, Held, Operation},
    weights::Drawn,
};

struct Attention(AttentionDims);

/// Tokens of the cache.
const ROWS: usize = 2048;

/// As in LLaMA, and as in RecurrentGemma: one head of keys, half of each head rotated, a window.
pub fn bench(bench: &mut Bench) {
    let llama = AttentionDims {
        heads: 12,
        kv_heads: 12,
        head_dim: 64,
        scale: 0.125,
        window: None,
        cuts_prompt: false,
        rotary: 64,
        rope_base: 10000.0,
    };
    let (head_dim, scale) = (128, 128_f64.sqrt().recip());
    let gemma =
        AttentionDims { heads: 6, kv_heads: 1, head_dim, scale, window: Some(ROWS), ..llama };
    for dims in [llama, gemma] {
        bench.operation(&Attention(dims));
    }
}

impl Attention {
    fn cache(&self) -> KvCacheDims {
        KvCacheDims::new(&self.0, ROWS)
    }

    /// Where so many tokens are: the last for which the cache has room, or with a window, which lets them replace
    /// others, the last of twice as many.
    fn positions(&self, tokens: usize) -> Range<usize> {
        let end = if self.0.window.is_some() { 2 * ROWS } else { ROWS };
        end - tokens..end
    }
}

impl Operation for Attention {
    type Weights<W: Held> = ();

    fn name(&self) -> String {
        let AttentionDims { heads, kv_heads, head_dim, .. } = self.0;
        format!("grouped_query_attention/{heads} x {head_dim} on {kv_heads}")
    }

    fn inputs(&self) -> usize {
        self.0.qkv_width()
    }

    fn outputs(&self) -> usize {
        self.0.query_width()
    }

    fn state(&self) -> usize {
        self.cache().elements()
    }

    fn position(&self, tokens: usize) -> usize {
        self.positions(tokens).start
    }

    /// Of queries and keys, and of weights and values.
    fn products(&self, tokens: usize) -> f64 {
        let seen: usize = self.positions(tokens).map(|position| self.0.seen(position).len()).sum();
        4.0 * (seen * self.0.query_width()) as f64
    }

    /// The cache is read once, and written where new tokens are put.
    fn moved(&self, tokens: usize) -> usize {
        self.state() + tokens * (self.inputs() + self.outputs() + 2 * self.0.kv_width())
    }

    fn weights<W: Held>(&self, _: &mut impl FnMut(Drawn) -> W) {}

    fn run<R: Real, B: Backend<Buffer = [R], Weight: Held>>(
        &self,
        backend: &mut B,
        sequences: &Sequences<'_>,
        (): &Self::Weights<B::Weight>,
        data: Data<'_, R>,
    ) -> Result<(), B::Error> {
        let Data { x, state, out } = data;
        backend.grouped_query_attention(&self.0, sequences, x, &self.cache(), state, out)
    }
}
