//! Functions that take slices and check them, or stop at the shorter one.

use longseq_core::attention::grouped_query_attention::grouped_query_attention;
use longseq_core::attention::kv_cache::KvCacheDims;
use longseq_core::attention::rope::{rope, rope_frequencies, rope_rotation};
use longseq_core::numeric::low_rank::add_vector_matrix;
use longseq_core::numeric::softmax::{argmax, softmax};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::numeric::{dot::dot, norm};
use longseq_core::recurrence::causal_conv1d::{causal_conv1d_step, keep_outputs};
use longseq_core::recurrence::rg_lru::{BlockGate, RgLruDims, block_gate};
use longseq_core::recurrence::ssd::{SsdDims, SsdParameters, ssd_chunk_scan, ssd_step};
use longseq_core::recurrence::state_space::{Discrete, bilinear, convolve, hippo_legs};
use longseq_core::recurrence::token_shift::{DdLerp, DdLerpDims, ddlerp, lerp};
use longseq_core::recurrence::wkv6::{Wkv6Dims, Wkv6Token, wkv6_step};
use proptest::collection::vec;
use proptest::prelude::*;

use super::choices::Choices;
use super::sequences::attention_dims;

fn recurrences(of: &mut Choices<'_>) {
    let groups = of.extent();
    let heads = of.near(groups.saturating_mul(2));
    let dims = SsdDims { heads, head_dim: of.extent(), state: of.extent(), groups };
    let (a, d) = (of.numbers(heads), of.numbers(heads));
    let parameters = SsdParameters { a: &a, d: &d };
    let tokens = of.below(4);
    let (xbc, dt) = (
        of.numbers(tokens.saturating_mul(dims.xbc_width())),
        of.numbers(tokens.saturating_mul(heads)),
    );
    let mut state = of.numbers(dims.state_elements());
    let mut y = of.numbers(tokens.saturating_mul(dims.inner()));
    let _ = ssd_step(&dims, &parameters, (&xbc, &dt), &mut state, &mut y);
    let chunk = of.near(2);
    let _ = ssd_chunk_scan(&dims, &parameters, (&xbc, &dt), chunk, &mut state, &mut y);

    let dims = Wkv6Dims { heads: of.extent(), head_dim: of.extent() };
    let [receptance, key, value, decay, bonus, mut out] =
        std::array::from_fn(|_| of.numbers(dims.width()));
    let token = Wkv6Token { receptance: &receptance, key: &key, value: &value, decay: &decay };
    let _ = wkv6_step(&dims, &token, &bonus, &mut of.numbers(dims.state_elements()), &mut out);

    let dims = RgLruDims { channels: of.near(6), blocks: of.near(2) };
    let gate = (of.stored(dims.gate_elements()), of.stored(dims.channels));
    let gate = BlockGate { weight: gate.0.tensor(), bias: gate.1.tensor() };
    let (v, mut work) = (of.numbers(dims.channels), of.numbers(dims.block_width()));
    let _ = block_gate(&dims, &gate, &v, &mut work, &mut of.numbers(dims.channels));
}

fn inputs_carried(of: &mut Choices<'_>) {
    let width = of.extent();
    let (weight, mut state) = (of.numbers(width), of.numbers(width));
    let _ = causal_conv1d_step(of.number(), &weight, of.number(), &mut state);
    keep_outputs(weight.iter().copied(), &mut state);
    let dims = DdLerpDims { channels: of.extent(), rank: of.extent() };
    let (channels, low_rank) =
        (dims.channels, dims.channels.saturating_mul(dims.rank).saturating_mul(5));
    let [x, before, mu] = std::array::from_fn(|_| of.numbers(channels));
    let mut out = of.numbers(channels.saturating_mul(5));
    lerp(&x, &before, &mu, &mut out);
    let (down, up) = (of.numbers(low_rank), of.numbers(low_rank));
    let weights = DdLerp { mixed: &mu[..], streams: [&mu[..]; 5], down: &down[..], up: &up[..] };
    let _ = ddlerp(&dims, &weights, (&x, &before), &mut of.numbers(dims.work_elements()), &mut out);
}

fn state_spaces(of: &mut Choices<'_>) {
    let size = of.below(4);
    let (mut a, mut b, mut work) =
        (of.numbers(size * size), of.numbers(size), of.numbers(size * size));
    if of.below(2) == 0 {
        let _ = hippo_legs(&mut a, &mut b);
    }
    let _ = bilinear(&mut a, &mut b, of.number(), &mut work);
    let (c, mut h, mut next) = (of.numbers(size), of.numbers(size), of.numbers(size));
    let system = Discrete { a: &a, b: &b, c: &c, d: of.number() };
    let _ = system.step(of.number(), &mut h, &mut next);
    let mut kernel = of.numbers(5);
    let _ = system.kernel(&mut kernel, &mut h, &mut next);
    let _ = convolve(&kernel, of.number(), &of.numbers(5), &mut of.numbers(5));
}

fn attention(of: &mut Choices<'_>) {
    let dims = attention_dims(of);
    let kv = KvCacheDims { rows: of.near(6), width: of.near(dims.kv_width()) };
    let position = of.near(5);
    let seen = dims.seen_in_cut_prompt(position, of.near(9)).unwrap_or(dims.seen(position));
    let (query, cache) = (of.numbers(dims.query_width()), of.numbers(kv.elements()));
    let (mut scores, mut out) = (of.numbers(6), of.numbers(dims.query_width()));
    let _ = kv.offset(position);
    let _ = grouped_query_attention(&dims, seen, &query, (&kv, &cache), &mut scores, &mut out);
    let pairs = of.below(4);
    let (mut theta, mut cos, mut sin) = (of.numbers(pairs), of.numbers(pairs), of.numbers(pairs));
    rope_frequencies(dims.rope_base, &mut theta);
    rope_rotation(position, &theta, &mut cos, &mut sin);
    rope(&mut of.numbers(2 * pairs), &cos, &sin);
}

fn numbers(of: &mut Choices<'_>) {
    let length = of.below(20);
    let (a, b) = (of.numbers(length), of.numbers(length));
    let (mut x, groups, epsilon) = (a.clone(), of.extent(), of.number());
    dot(&a, &b);
    softmax(&mut x);
    argmax(&a);
    norm::rms_norm(&a, &b, epsilon, &mut x);
    norm::gated_rms_norm(&mut x, &a, groups, &b, epsilon);
    norm::gated_group_norm(&mut x, &a, groups, (&b, &a), epsilon);
    norm::layer_norm(&mut x, &a, &b, epsilon);
    let stored = of.stored(length);
    let tensor = stored.tensor();
    let _ = tensor.decode(of.near(0), &mut x);
    let row = |i: usize, row: &mut [f32]| tensor.decode(i, row);
    let _ = add_vector_matrix(&a, row, &mut of.numbers(length), &mut x);
    let shape: Vec<usize> = (0..of.below(6)).map(|_| of.extent()).collect();
    let _ = Tensor::new(Dtype::F16, &shape, &vec![0; of.below(64)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn functions_compute_or_refuse(bytes in vec(any::<u8>(), 0..120)) {
        for function in [recurrences, inputs_carried, state_spaces, attention, numbers] {
            function(&mut Choices::new(&bytes));
        }
    }
}
