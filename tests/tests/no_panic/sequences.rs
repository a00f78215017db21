//! Operations with state.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::attention::kv_cache::KvCacheDims;
use longseq_core::backend::{
    CausalConv1d, GroupedQueryAttention, RgLru, SsdScan, TokenShift, Wkv6Inputs, Wkv6Scan,
};
use longseq_core::numeric::activation::Activation;
use longseq_core::recurrence::causal_conv1d::{Conv, ConvDims};
use longseq_core::recurrence::rg_lru::{BlockGate, RgLruDims, RgLruWeights};
use longseq_core::recurrence::ssd::{SsdDims, SsdHeads};
use longseq_core::recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS};
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_core::reference::Reference;
use proptest::collection::vec;
use proptest::prelude::*;

use super::choices::{Choices, reached, state};

fn product(factors: &[usize]) -> usize {
    factors.iter().fold(1, |product: usize, &factor| product.saturating_mul(factor))
}

fn conv(of: &mut Choices<'_>) -> bool {
    let lists = of.lists();
    let Some(batch) = lists.batch() else { return false };
    let (channels, width, rows) = (of.extent(), of.extent(), batch.tokens().len());
    let activation = Activation::GeluTanh;
    let dims = ConvDims { channels, width, activation, prompt_leaves_outputs: of.below(2) == 0 };
    let (weight, bias) = (of.stored(product(&[channels, width])), of.stored(channels));
    let elements = dims.state_elements();
    let (x, mut slab) =
        (of.numbers(product(&[rows, channels])), of.numbers(product(&[2, elements])));
    let mut out = of.numbers(product(&[rows, channels]));
    let mut work = of.numbers(width);
    let bias = (of.below(2) == 0).then(|| bias.tensor());
    let (x, region) = (of.columns(&x[..], channels), of.region(elements));
    Reference::new(&mut work)
        .causal_conv1d(
            &dims,
            &batch.sequences(&lists.positions),
            x,
            &Conv { weight: weight.tensor(), bias },
            state(&mut slab, region),
            &mut out,
        )
        .is_ok()
}

fn ssd(of: &mut Choices<'_>) -> bool {
    let lists = of.lists();
    let Some(batch) = lists.batch() else { return false };
    let groups = of.extent();
    let heads = of.near(product(&[groups, 2]));
    let dims = SsdDims { heads, head_dim: of.extent(), state: of.extent(), groups };
    let (rows, elements) = (batch.tokens().len(), dims.state_elements());
    let xbc = of.numbers(product(&[rows, dims.xbc_width()]));
    let dt = of.numbers(product(&[rows, heads]));
    let [dt_bias, a_log, d] = std::array::from_fn(|_| of.stored(heads));
    let heads = SsdHeads { dt_bias: dt_bias.tensor(), a_log: a_log.tensor(), d: d.tensor() };
    let mut slab = of.numbers(product(&[2, elements]));
    let mut y = of.numbers(product(&[rows, dims.inner()]));
    let mut work = of.numbers(product(&[4, dims.heads]));
    let (dt, region) = (of.columns(&dt[..], dims.heads), of.region(elements));
    Reference::new(&mut work)
        .ssd_scan(
            &dims,
            &batch.sequences(&lists.positions),
            (&xbc, dt),
            &heads,
            state(&mut slab, region),
            &mut y,
        )
        .is_ok()
}

fn rg_lru(of: &mut Choices<'_>) -> bool {
    let lists = of.lists();
    let Some(batch) = lists.batch() else { return false };
    let blocks = of.extent();
    let channels = of.near(product(&[blocks, 3]));
    let dims = RgLruDims { channels, blocks };
    let weights: [_; 2] = std::array::from_fn(|_| of.stored(dims.gate_elements()));
    let biases: [_; 3] = std::array::from_fn(|_| of.stored(channels));
    let gate = |at: usize| BlockGate { weight: weights[at].tensor(), bias: biases[at].tensor() };
    let weights =
        RgLruWeights { input_gate: gate(0), recurrent_gate: gate(1), decay: biases[2].tensor() };
    let mut x = of.numbers(product(&[batch.tokens().len(), channels]));
    let mut slab = of.numbers(product(&[2, channels]));
    let mut work = of.numbers(dims.work_elements());
    let region = of.region(channels);
    Reference::new(&mut work)
        .rg_lru(
            &dims,
            &batch.sequences(&lists.positions),
            &mut x,
            &weights,
            state(&mut slab, region),
        )
        .is_ok()
}

fn token_shift(of: &mut Choices<'_>) -> bool {
    let lists = of.lists();
    let Some(batch) = lists.batch() else { return false };
    let (channels, rows) = (of.extent(), batch.tokens().len());
    let proportions = [of.stored(channels), of.stored(channels)];
    let proportions = [proportions[0].tensor(), proportions[1].tensor()];
    let x = of.numbers(product(&[rows, channels]));
    let mut slab = of.numbers(product(&[2, channels]));
    let mut out = of.numbers(product(&[rows, channels, 2]));
    let (mut work, region) = (of.numbers(channels), of.region(channels));
    Reference::new(&mut work)
        .token_shift(
            channels,
            &batch.sequences(&lists.positions),
            &x,
            &proportions[..of.below(3)],
            state(&mut slab, region),
            &mut out,
        )
        .is_ok()
}

fn ddlerp(of: &mut Choices<'_>) -> bool {
    let lists = of.lists();
    let Some(batch) = lists.batch() else { return false };
    let dims = DdLerpDims { channels: of.extent(), rank: of.extent() };
    let (channels, rows) = (dims.channels, batch.tokens().len());
    let low_rank = product(&[channels, STREAMS, dims.rank]);
    let vectors: [_; STREAMS + 1] = std::array::from_fn(|_| of.stored(channels));
    let [down, up] = std::array::from_fn(|_| of.stored(low_rank));
    let weights = DdLerp {
        mixed: vectors[STREAMS].tensor(),
        streams: std::array::from_fn(|stream| vectors[stream].tensor()),
        down: down.tensor(),
        up: up.tensor(),
    };
    let x = of.numbers(product(&[rows, channels]));
    let mut slab = of.numbers(product(&[2, channels]));
    let mut out = of.numbers(product(&[rows, channels, STREAMS]));
    let (mut work, region) = (of.numbers(dims.work_elements()), of.region(channels));
    Reference::new(&mut work)
        .ddlerp(
            &dims,
            &batch.sequences(&lists.positions),
            &x,
            &weights,
            state(&mut slab, region),
            &mut out,
        )
        .is_ok()
}

fn wkv6(of: &mut Choices<'_>) -> bool {
    let lists = of.lists();
    let Some(batch) = lists.batch() else { return false };
    let dims = Wkv6Dims { heads: of.extent(), head_dim: of.extent() };
    let (rows, width, elements) = (batch.tokens().len(), dims.width(), dims.state_elements());
    let [r, k, v, d] = std::array::from_fn(|_| of.numbers(product(&[rows, width])));
    let inputs = Wkv6Inputs {
        receptance: of.columns(&r[..], width),
        key: of.columns(&k[..], width),
        value: of.columns(&v[..], width),
        decay: of.columns(&d[..], width),
    };
    let (bonus, mut slab) = (of.stored(width), of.numbers(product(&[2, elements])));
    let (mut out, mut work) = (of.numbers(product(&[rows, width])), of.numbers(width));
    let region = of.region(elements);
    Reference::new(&mut work)
        .wkv6_scan(
            &dims,
            &batch.sequences(&lists.positions),
            inputs,
            &bonus.tensor(),
            state(&mut slab, region),
            &mut out,
        )
        .is_ok()
}

/// Dimensions of attention.
pub fn attention_dims(of: &mut Choices<'_>) -> AttentionDims {
    let (kv_heads, rotary) = (of.extent(), of.near(2));
    AttentionDims {
        heads: of.near(product(&[kv_heads, 2])),
        kv_heads,
        head_dim: of.near(4),
        scale: of.number().into(),
        window: (of.below(2) == 0).then(|| of.near(3)),
        cuts_prompt: of.below(2) == 0,
        rotary,
        rope_base: of.number().into(),
    }
}

fn attention(of: &mut Choices<'_>) -> bool {
    let lists = of.lists();
    let Some(batch) = lists.batch() else { return false };
    let dims = attention_dims(of);
    let rows = batch.tokens().len();
    let kv = KvCacheDims { rows: of.near(10), width: of.near(dims.kv_width()) };
    let qkv = of.numbers(product(&[rows, dims.qkv_width()]));
    let mut slab = of.numbers(product(&[2, kv.elements()]));
    let mut out = of.numbers(product(&[rows, dims.query_width()]));
    let (mut work, region) = (of.numbers(200), of.region(kv.elements()));
    Reference::new(&mut work)
        .grouped_query_attention(
            &dims,
            &batch.sequences(&lists.positions),
            &qkv,
            &kv,
            state(&mut slab, region),
            &mut out,
        )
        .is_ok()
}

const OPERATIONS: [fn(&mut Choices<'_>) -> bool; 7] =
    [conv, ssd, rg_lru, token_shift, ddlerp, wkv6, attention];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn operations_with_state_compute_or_refuse(bytes in vec(any::<u8>(), 0..120)) {
        for operation in OPERATIONS {
            operation(&mut Choices::new(&bytes));
        }
    }
}

#[test]
fn operations_with_state_are_reached() {
    for (number, operation) in OPERATIONS.into_iter().enumerate() {
        let computed = reached(operation);
        assert!(computed > 50, "operation {number} computed {computed} times");
    }
}
