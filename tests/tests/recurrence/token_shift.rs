//! Token shifts against their equations, split, and their shapes.

use longseq_core::backend::TokenShift;
use longseq_core::batch::Batch;
use longseq_core::numeric::Real;
use longseq_core::recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS, ddlerp, lerp};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_tests::golden::max_difference;
use proptest::prelude::*;

use super::{bits, bytes, cast, stored, tensor, widen};

const DIMS: DdLerpDims = DdLerpDims { channels: 4, rank: 3 };

/// μₓ, the five μᶜ, W₁, W₂.
#[derive(Clone, Debug)]
struct Weights(Vec<Vec<f64>>);

fn weights() -> impl Strategy<Value = Weights> {
    let values = |n| prop::collection::vec(-1.0..1.0, n).prop_map(stored);
    let low_rank = STREAMS * DIMS.rank * DIMS.channels;
    let sizes = [[DIMS.channels; 6].as_slice(), &[low_rank; 2]].concat();
    sizes.into_iter().map(values).collect::<Vec<_>>().prop_map(Weights)
}

fn rows() -> impl Strategy<Value = Vec<f64>> {
    (1..12_usize).prop_flat_map(|tokens| prop::collection::vec(-2.0..2.0, tokens * DIMS.channels))
}

/// Both shifts of some rows: two streams with fixed proportions (μₓ and the first μᶜ), then the five.
fn run<R: Real>(weights: &Weights, rows: &[f64], state: &mut [R]) -> [Vec<f64>; 2] {
    let stored: Vec<Vec<u8>> = weights.0.iter().map(|values| bytes(values)).collect();
    let tensors: Vec<_> = stored.iter().map(|bytes| tensor(bytes)).collect();
    let x = cast::<R>(rows);
    let count = rows.len() / DIMS.channels;
    let (tokens, ends) = (vec![0; count], [0, count]);
    let batch = Batch::new(&tokens, &ends, &[0], &[]).unwrap();
    let sequences = batch.sequences(&[0]);
    let region = Region { offset: 0, stride: 0, elements: DIMS.channels };
    let mut work = vec![R::from_f64(f64::NAN); DIMS.work_elements()];
    let mut backend = Reference::new(&mut work);
    let poison = R::from_f64(f64::NAN);
    let (mut two, mut five) = (vec![poison; 2 * x.len()], vec![poison; STREAMS * x.len()]);
    let mut copy = state.to_vec();
    let fixed = StateMut { buffer: &mut copy[..], region };
    backend.token_shift(DIMS.channels, &sequences, &x, &tensors[..2], fixed, &mut two).unwrap();
    let weights = DdLerp {
        mixed: tensors[0],
        streams: [tensors[1], tensors[2], tensors[3], tensors[4], tensors[5]],
        down: tensors[6],
        up: tensors[7],
    };
    let depending = StateMut { buffer: &mut *state, region };
    backend.ddlerp(&DIMS, &sequences, &x, &weights, depending, &mut five).unwrap();
    assert_eq!(widen(&copy), widen(state), "both carry the last row");
    [widen(&two), widen(&five)]
}

/// The same, straight from the equations.
fn definition(weights: &Weights, rows: &[f64]) -> [Vec<f64>; 2] {
    let w = &weights.0;
    let (c, rank) = (DIMS.channels, DIMS.rank);
    let (mut two, mut five) = (vec![], vec![]);
    for t in 0..rows.len() / c {
        let x = |i: usize| rows[t * c + i];
        let delta = |i: usize| if t > 0 { rows[(t - 1) * c + i] - x(i) } else { -x(i) };
        for mu in &w[..2] {
            two.extend((0..c).map(|i| x(i) + delta(i) * mu[i]));
        }
        let mixed: Vec<f64> = (0..c).map(|i| x(i) + delta(i) * w[0][i]).collect();
        let m = |n: usize| -> f64 {
            (0..c).map(|i| mixed[i] * w[6][i * STREAMS * rank + n]).sum::<f64>().tanh()
        };
        for stream in 0..STREAMS {
            five.extend((0..c).map(|i| {
                let low_rank = |r: usize| m(stream * rank + r) * w[7][(stream * rank + r) * c + i];
                let mu = w[1 + stream][i] + (0..rank).map(low_rank).sum::<f64>();
                x(i) + delta(i) * mu
            }));
        }
    }
    [two, five]
}

proptest! {
    #[test]
    fn equals_its_equations(weights in weights(), rows in rows()) {
        let mut state = vec![0.0; DIMS.channels];
        let found = run(&weights, &rows, &mut state);
        for (found, expected) in found.iter().zip(definition(&weights, &rows)) {
            prop_assert!(max_difference(found, &expected) < 1e-13);
        }
        prop_assert_eq!(&state[..], &rows[rows.len() - DIMS.channels..]);
    }

    #[test]
    fn any_split_gives_the_same(
        weights in weights(),
        rows in rows(),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(rows.len() / DIMS.channels) * DIMS.channels;
        let whole = run::<f32>(&weights, &rows, &mut [0.0; DIMS.channels]);
        let mut state = [0.0_f32; DIMS.channels];
        let first = if cut > 0 { run(&weights, &rows[..cut], &mut state) } else { [vec![], vec![]] };
        let second = run(&weights, &rows[cut..], &mut state);
        for (whole, (first, second)) in whole.iter().zip(first.iter().zip(&second)) {
            prop_assert_eq!(bits(whole), bits(&[&first[..], second].concat()));
        }
    }
}

#[test]
fn proportions_of_0_and_1_are_the_token_and_the_one_before() {
    let mut out = [0.0; 2];
    lerp(&[1.0, 2.0], &[5.0, 7.0], &[0.0, 1.0], &mut out);
    assert_eq!(out, [1.0, 7.0]);
}

#[test]
fn shapes_are_checked() {
    let table = [0.0_f64; 61];
    let weights = |low_rank: usize| DdLerp {
        mixed: &table[..4],
        streams: [&table[..4]; STREAMS],
        down: &table[..low_rank],
        up: &table[..60],
    };
    assert_eq!(DIMS.check::<f64, _>(&weights(60), 4), Ok(()));
    assert!(DIMS.check::<f64, _>(&weights(61), 4).is_err());
    assert!(DIMS.check::<f64, _>(&weights(60), 5).is_err());
    assert!(DdLerpDims { channels: 4, rank: 0 }.check::<f64, _>(&weights(0), 4).is_err());
    let call = |x: usize, work: usize, out: usize| {
        let x = vec![0.0; x];
        ddlerp(&DIMS, &weights(60), (&x, &[0.0; 4]), &mut vec![0.0; work], &mut vec![0.0; out])
    };
    assert_eq!(call(4, DIMS.work_elements(), 20), Ok(()));
    assert!(call(3, DIMS.work_elements(), 20).is_err());
    assert!(call(4, DIMS.work_elements() - 1, 20).is_err());
    assert!(call(4, DIMS.work_elements(), 19).is_err());
}
