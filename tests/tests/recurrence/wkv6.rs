//! The recurrence of RWKV-6 against its unrolled sum, split, and its shapes.

use longseq_core::backend::{Columns, Wkv6Inputs, Wkv6Scan};
use longseq_core::batch::Batch;
use longseq_core::numeric::Real;
use longseq_core::recurrence::wkv6::{Wkv6Dims, Wkv6Token, decay, wkv6_step};
use longseq_core::reference::Reference;
use longseq_core::state::{Region, StateMut};
use longseq_tests::golden::max_difference;
use proptest::prelude::*;

use super::{bits, bytes, cast, stored, tensor, widen};

#[derive(Clone, Debug)]
struct Case {
    dims: Wkv6Dims,
    tokens: usize,
    /// Rows of r, k, v, d side by side.
    rows: Vec<f64>,
    bonus: Vec<f64>,
    state: Vec<f64>,
}

fn case() -> impl Strategy<Value = Case> {
    (1..4_usize, 1..6_usize, 1..20_usize).prop_flat_map(|(heads, head_dim, tokens)| {
        let dims = Wkv6Dims { heads, head_dim };
        let values = |n| prop::collection::vec(-2.0..2.0, n);
        // d from decays of nearly 1 to forgetting everything at once.
        let rates = prop::collection::vec(-9.0..4.0, tokens * dims.width());
        let row = values(tokens * 3 * dims.width());
        (row, rates, values(dims.width()).prop_map(stored), values(dims.state_elements())).prop_map(
            move |(rkv, rates, bonus, state)| {
                let width = dims.width();
                let pairs = rkv.chunks(3 * width).zip(rates.chunks(width));
                let rows = pairs.flat_map(|(rkv, rates)| [rkv, rates].concat()).collect();
                Case { dims, tokens, rows, bonus, state }
            },
        )
    })
}

impl Case {
    /// Outputs of rows `from..to`, `state` having been reached there.
    fn scan<R: Real>(&self, (from, to): (usize, usize), state: &mut [R]) -> Vec<f64> {
        let width = self.dims.width();
        let rows = cast::<R>(&self.rows[from * 4 * width..to * 4 * width]);
        let tokens = vec![0; to - from];
        let ends = [0, to - from];
        let batch = Batch::new(&tokens, &ends, &[0], &[]).unwrap();
        let columns = |place: usize| Columns::from(&rows[..], 4 * width, place * width);
        let inputs = Wkv6Inputs {
            receptance: columns(0),
            key: columns(1),
            value: columns(2),
            decay: columns(3),
        };
        let elements = self.dims.state_elements();
        let state = StateMut { buffer: state, region: Region { offset: 0, stride: 0, elements } };
        let mut out = vec![R::from_f64(f64::NAN); (to - from) * width];
        let mut work = vec![R::from_f64(f64::NAN); width];
        let bonus = bytes(&self.bonus);
        let positions = [from];
        let sequences = batch.sequences(&positions);
        Reference::new(&mut work)
            .wkv6_scan(&self.dims, &sequences, inputs, &tensor(&bonus), state, &mut out)
            .unwrap();
        widen(&out)
    }

    /// oₜ = Σ_{j<t} (rₜ ⊙ w_{j+1} ⊙ … ⊙ w_{t−1}) kⱼᵀ vⱼ + (rₜ ⊙ w₀ ⊙ … ⊙ w_{t−1}) S + (rₜ ⊙ u) kₜᵀ vₜ, with decays
    /// multiplied up for each pair of tokens.
    fn unrolled(&self) -> Vec<f64> {
        let Wkv6Dims { heads, head_dim } = self.dims;
        let width = self.dims.width();
        let at = |t: usize, of: usize, c: usize| self.rows[(t * 4 + of) * width + c];
        let mut out = vec![];
        for t in 0..self.tokens {
            for c in 0..heads * head_dim {
                let (head, j) = (c / head_dim, c % head_dim);
                let mut sum = 0.0;
                for i in 0..head_dim {
                    let key = head * head_dim + i;
                    let kept = |from: usize| -> f64 {
                        (from..t).map(|s| (-at(s, 3, key).exp()).exp()).product()
                    };
                    let mut read = self.bonus[key] * at(t, 1, key) * at(t, 2, c);
                    for s in 0..t {
                        read += kept(s + 1) * at(s, 1, key) * at(s, 2, c);
                    }
                    read += kept(0) * self.state[key * head_dim + j];
                    sum += at(t, 0, key) * read;
                }
                out.push(sum);
            }
        }
        out
    }
}

proptest! {
    #[test]
    fn equals_its_unrolled_sum(case in case()) {
        let found = case.scan((0, case.tokens), &mut case.state.clone());
        prop_assert!(max_difference(&found, &case.unrolled()) < 1e-11);
    }

    #[test]
    fn any_split_gives_the_same(case in case(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(case.tokens);
        let mut state = cast::<f32>(&case.state);
        let whole = case.scan((0, case.tokens), &mut state);
        let mut pieces = cast::<f32>(&case.state);
        let mut found = if cut > 0 { case.scan((0, cut), &mut pieces) } else { vec![] };
        found.extend(case.scan((cut, case.tokens), &mut pieces));
        prop_assert_eq!(bits(&whole), bits(&found));
        prop_assert_eq!(bits(&widen(&state)), bits(&widen(&pieces)));
    }

    #[test]
    fn single_precision_is_near(case in case()) {
        let found = case.scan((0, case.tokens), &mut cast::<f32>(&case.state));
        let expected = case.scan((0, case.tokens), &mut case.state.clone());
        let size = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        prop_assert!(max_difference(&found, &expected) < 1e-4 * size);
    }

    #[test]
    fn the_decay_is_a_share(d in -30.0..30.0_f64) {
        prop_assert!((0.0..=1.0).contains(&decay(d)));
        prop_assert!((0.0..=1.0).contains(&decay(d as f32)));
    }
}

#[test]
fn shapes_are_checked() {
    let dims = Wkv6Dims { heads: 2, head_dim: 3 };
    let call = |key: usize, bonus: usize, state: usize, out: usize| {
        let (row, bonus) = ([0.0; 6], vec![0.0; bonus]);
        let key = vec![0.0; key];
        let token = Wkv6Token { receptance: &row, key: &key, value: &row, decay: &row };
        wkv6_step(&dims, &token, &bonus, &mut vec![0.0; state], &mut vec![0.0; out])
    };
    assert_eq!(call(6, 6, 18, 6), Ok(()));
    assert!(call(5, 6, 18, 6).is_err());
    assert!(call(6, 7, 18, 6).is_err());
    assert!(call(6, 6, 17, 6).is_err());
    assert!(call(6, 6, 18, 12).is_err());
    assert!(Wkv6Dims { heads: 0, head_dim: 3 }.check(0, 0).is_err());
}
