//! The RG-LRU against its equations, split, ragged and near decays of 1.

use longseq_core::backend::RgLru;
use longseq_core::batch::Batch;
use longseq_core::numeric::Real;
use longseq_core::recurrence::rg_lru::{
    BlockGate, RgLruDims, RgLruWeights, block_gate, decays, rg_lru_step,
};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_tests::golden::max_difference;
use proptest::prelude::*;

use super::{bits, bytes, cast, stored, tensor, widen};

const DIMS: RgLruDims = RgLruDims { channels: 6, blocks: 2 };

/// Gate weights and biases (input, then recurrent), then the decay parameter.
#[derive(Clone, Debug)]
struct Weights([Vec<f64>; 5]);

fn weights() -> impl Strategy<Value = Weights> {
    let values = |n| prop::collection::vec(-1.5..1.5, n).prop_map(stored);
    let gate = || (values(DIMS.gate_elements()), values(DIMS.channels));
    // From decays of nearly 1 to nearly 0.
    let decay = prop::collection::vec(-12.0..4.0, DIMS.channels).prop_map(stored);
    (gate(), gate(), decay).prop_map(|((a, b), (c, d), e)| Weights([a, b, c, d, e]))
}

fn inputs(tokens: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    tokens.prop_flat_map(|tokens| prop::collection::vec(-2.0..2.0, tokens * DIMS.channels))
}

/// Continues slot `slot` of two by sequences of rows, each from its position; returns all outputs.
fn run<R: Real>(weights: &Weights, rows: &[f64], state: &mut [R], at: (usize, usize)) -> Vec<f64> {
    let stored = weights.0.each_ref().map(|values| bytes(values));
    let [a, b, c, d, e] = stored.each_ref().map(|bytes| tensor(bytes));
    let weights = RgLruWeights {
        input_gate: BlockGate { weight: a, bias: b },
        recurrent_gate: BlockGate { weight: c, bias: d },
        decay: e,
    };
    let (slot, position) = at;
    let tokens = vec![0; rows.len() / DIMS.channels];
    let (ends, slots, mut positions) = ([0, tokens.len()], [slot], [0, 0]);
    positions[slot] = position;
    let batch = Batch::new(&tokens, &ends, &slots, &[]).unwrap();
    let region = Region { offset: 0, stride: DIMS.channels, elements: DIMS.channels };
    let mut x = cast::<R>(rows);
    let mut work = vec![R::from_f64(f64::NAN); DIMS.work_elements()];
    let state = StateMut { buffer: state, region };
    let sequences = batch.sequences(&positions);
    Reference::new(&mut work).rg_lru(&DIMS, &sequences, &mut x, &weights, state).unwrap();
    widen(&x)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// h for every token, straight from the equations.
fn definition(weights: &Weights, rows: &[f64]) -> Vec<f64> {
    let [wi, bi, wr, br, decay] = &weights.0;
    let n = DIMS.block_width();
    let gate = |w: &[f64], b: &[f64], v: &[f64], c: usize| {
        let block = c / n;
        let sum: f64 = (0..n).map(|i| v[block * n + i] * w[(block * n + i) * n + c % n]).sum();
        sigmoid(sum + b[c])
    };
    let mut h = vec![0.0; DIMS.channels];
    let mut out = vec![];
    for (t, v) in rows.chunks(DIMS.channels).enumerate() {
        for c in 0..DIMS.channels {
            let input = gate(wi, bi, v, c) * v[c];
            let rate = decay[c].exp().ln_1p();
            let a = (-8.0 * gate(wr, br, v, c) * rate).exp();
            h[c] = if t == 0 { input } else { a * h[c] + (1.0 - a * a).sqrt() * input };
        }
        out.extend(&h);
    }
    out
}

proptest! {
    #[test]
    fn equals_its_equations(weights in weights(), rows in inputs(1..20)) {
        let mut state = vec![f64::NAN; DIMS.channels];
        let found = run(&weights, &rows, &mut state, (0, 0));
        prop_assert!(max_difference(&found, &definition(&weights, &rows)) < 1e-9);
        prop_assert_eq!(&state[..], &found[found.len() - DIMS.channels..]);
    }

    #[test]
    fn any_split_gives_the_same(
        weights in weights(),
        rows in inputs(1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let tokens = rows.len() / DIMS.channels;
        let cut = cut.index(tokens);
        let whole = run::<f32>(&weights, &rows, &mut [f32::NAN; 6], (0, 0));
        let mut state = [f32::NAN; 12];
        let (first, second) = rows.split_at(cut * DIMS.channels);
        let mut pieces = if cut > 0 { run(&weights, first, &mut state, (1, 0)) } else { vec![] };
        pieces.extend(run(&weights, second, &mut state, (1, cut)));
        prop_assert_eq!(bits(&whole), bits(&pieces));
        // The other slot was not touched.
        prop_assert!(state[..6].iter().all(|x| x.is_nan()));
    }

    #[test]
    fn the_decay_is_between_0_and_1(parameter in -10.0..6.0_f64, gate in -10.0..10.0_f64) {
        let mut decay = [parameter];
        decays(&mut decay);
        // With an input of 0, what stays of a state of 1 is the decay.
        let mut h = 1.0;
        rg_lru_step(0.0, (0.0, gate), decay[0], false, &mut h);
        prop_assert!(h > 0.0 && h < 1.0, "{}", h);
        // A state of the input's own size stays so: a² + (√(1 − a²))² = 1.
        let mut input = 0.0;
        rg_lru_step(2.0, (1e9, gate), decay[0], false, &mut input);
        prop_assert!((h * h + (input / 2.0).powi(2) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn what_was_before_position_0_is_dropped() {
    let mut h = f64::NAN;
    assert_eq!(rg_lru_step(3.0, (0.0, 1.0), 0.7, true, &mut h), 1.5);
    assert_eq!(h, 1.5);
}

/// 1 − a² from a itself has no digits left in f32 here.
#[test]
fn inputs_count_where_the_decay_is_nearly_1() {
    let (rate, gate) = (1e-9, 30.0);
    let mut single = 0.0_f32;
    rg_lru_step(1.0, (0.0, gate), rate as f32, false, &mut single);
    let expected = 0.5 * (1.6e-8_f64).sqrt();
    assert!((f64::from(single) / expected - 1.0).abs() < 1e-6, "{single} {expected}");
}

#[test]
fn shapes_are_checked() {
    let (gate, row, table) = ([0.0; 18], [0.0; 6], &[0.0_f64; 18][..]);
    let weights = |weight: &'static [f64], decay: &'static [f64]| RgLruWeights {
        input_gate: BlockGate { weight, bias: &[0.0; 6][..] },
        recurrent_gate: BlockGate { weight: &[0.0; 18][..], bias: &[0.0; 6][..] },
        decay,
    };
    let check = |dims: RgLruDims, of: &RgLruWeights<&[f64]>, state| dims.check::<f64, _>(of, state);
    let good = weights(&[0.0; 18], &[0.0; 6]);
    assert_eq!(check(DIMS, &good, 6), Ok(()));
    assert!(check(DIMS, &good, 5).is_err());
    assert!(check(DIMS, &weights(&[0.0; 17], &[0.0; 6]), 6).is_err());
    assert!(check(DIMS, &weights(&[0.0; 18], &[0.0; 7]), 6).is_err());
    assert!(check(RgLruDims { channels: 6, blocks: 4 }, &good, 6).is_err());
    assert!(check(RgLruDims { channels: 0, blocks: 0 }, &good, 0).is_err());
    let short = BlockGate { weight: &table[..17], bias: &row[..] };
    let (mut work, mut out) = ([0.0; 3], [0.0; 6]);
    assert!(block_gate(&DIMS, &short, &row, &mut work, &mut out).is_err());
    let full = BlockGate { weight: &gate[..], bias: &row[..] };
    assert_eq!(block_gate(&DIMS, &full, &row, &mut work, &mut out), Ok(()));
}
