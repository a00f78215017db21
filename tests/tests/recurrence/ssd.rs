//! The chunked form equals the recurrence, and the recurrence its unrolled sum.

use longseq_core::numeric::Real;
use longseq_core::recurrence::ssd::{SsdDims, SsdParameters, ssd_chunk_scan, ssd_step};
use longseq_tests::golden::max_difference;
use proptest::prelude::*;

use super::{cast, widen};

#[derive(Clone, Debug)]
struct Case {
    dims: SsdDims,
    tokens: usize,
    a: Vec<f64>,
    d: Vec<f64>,
    xbc: Vec<f64>,
    dt: Vec<f64>,
    state: Vec<f64>,
}

fn case() -> impl Strategy<Value = Case> {
    let extents = (1..4_usize, 1..3_usize, 1..6_usize, 1..10_usize, 0..50_usize);
    extents.prop_flat_map(|(per_group, groups, head_dim, state, tokens)| {
        let dims = SsdDims { heads: per_group * groups, head_dim, state, groups };
        let values = |n| prop::collection::vec(-2.0..2.0, n);
        let decays = prop::collection::vec(-16.0..-0.01, dims.heads);
        // Steps from negligible to forgetting everything at once.
        let steps = prop::collection::vec(prop_oneof![1e-4..0.1, 0.1..40.0], tokens * dims.heads);
        let inputs = values(tokens * dims.xbc_width());
        (decays, values(dims.heads), inputs, steps, values(dims.state_elements()))
            .prop_map(move |(a, d, xbc, dt, state)| Case { dims, tokens, a, d, xbc, dt, state })
    })
}

impl Case {
    /// Outputs and final state, token by token.
    fn recurrent<R: Real>(&self) -> (Vec<f64>, Vec<f64>) {
        let (a, d) = (cast::<R>(&self.a), cast::<R>(&self.d));
        let (xbc, dt) = (cast::<R>(&self.xbc), cast::<R>(&self.dt));
        let mut state = cast::<R>(&self.state);
        let mut y = vec![R::from_f64(f64::NAN); self.tokens * self.dims.inner()];
        let rows = xbc.chunks(self.dims.xbc_width()).zip(dt.chunks(self.dims.heads));
        for (row, y) in rows.zip(y.chunks_mut(self.dims.inner())) {
            ssd_step(&self.dims, &SsdParameters { a: &a, d: &d }, row, &mut state, y).unwrap();
        }
        (widen(&y), widen(&state))
    }

    /// The same in chunks.
    fn chunked<R: Real>(&self, chunk: usize) -> (Vec<f64>, Vec<f64>) {
        let (a, d) = (cast::<R>(&self.a), cast::<R>(&self.d));
        let (xbc, dt) = (cast::<R>(&self.xbc), cast::<R>(&self.dt));
        let mut state = cast::<R>(&self.state);
        let mut y = vec![R::from_f64(f64::NAN); self.tokens * self.dims.inner()];
        let parameters = SsdParameters { a: &a, d: &d };
        ssd_chunk_scan(&self.dims, &parameters, (&xbc, &dt), chunk, &mut state, &mut y).unwrap();
        (widen(&y), widen(&state))
    }
}

/// RMS of the difference over RMS of `size`.
fn relative_rms(found: &[f64], expected: &[f64], size: &[f64]) -> f64 {
    assert!(found.len() == expected.len() && found.len() == size.len());
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let difference = squares(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    let size = squares(&mut size.iter().copied());
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}

proptest! {
    #[test]
    fn chunks_equal_the_recurrence(case in case(), chunk in 1..60_usize) {
        let (y, state) = case.recurrent::<f64>();
        // What is summed, without signs: cancellation is no fault of the method.
        let absolute = |values: &[f64]| values.iter().map(|x| x.abs()).collect::<Vec<_>>();
        let (xbc, d) = (absolute(&case.xbc), absolute(&case.d));
        let unsigned = Case { xbc, d, state: absolute(&case.state), ..case.clone() };
        let (y_size, state_size) = unsigned.recurrent::<f64>();
        for ((found_y, found_state), bound) in [
            (case.chunked::<f64>(chunk), 1e-13),
            (case.recurrent::<f32>(), 1e-5),
            (case.chunked::<f32>(chunk), 1e-5),
        ] {
            prop_assert!(relative_rms(&found_y, &y, &y_size) < bound);
            prop_assert!(relative_rms(&found_state, &state, &state_size) < bound);
        }
    }

    #[test]
    fn the_recurrence_is_its_unrolled_sum(case in case()) {
        let SsdDims { heads, head_dim, state: n, groups } = case.dims;
        let (inner, width) = (case.dims.inner(), case.dims.xbc_width());
        let mut expected = vec![];
        for t in 0..case.tokens {
            for (h, p) in (0..heads).flat_map(|h| (0..head_dim).map(move |p| (h, p))) {
                let g = h / (heads / groups);
                let b = |s: usize, k: usize| case.xbc[s * width + inner + g * n + k];
                let c = |k: usize| case.xbc[t * width + inner + (groups + g) * n + k];
                let x = |s: usize| case.xbc[s * width + h * head_dim + p];
                let log_decay = |from: usize| {
                    (from..=t).map(|s| case.dt[s * heads + h] * case.a[h]).sum::<f64>().exp()
                };
                let mut y = case.d[h] * x(t);
                for k in 0..n {
                    y += c(k) * log_decay(0) * case.state[(h * head_dim + p) * n + k];
                    for s in 0..=t {
                        y += c(k) * log_decay(s + 1) * case.dt[s * heads + h] * x(s) * b(s, k);
                    }
                }
                expected.push(y);
            }
        }
        let size = 1.0 + expected.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
        prop_assert!(max_difference(&case.recurrent::<f64>().0, &expected) < 1e-12 * size);
    }
}

#[test]
fn shapes_are_checked() {
    let dims = SsdDims { heads: 2, head_dim: 1, state: 1, groups: 1 };
    let parameters = SsdParameters { a: &[-1.0, -1.0], d: &[0.0, 0.0] };
    let step = |dims: &SsdDims, xbc: &[f64], dt: &[f64], state: usize, y: usize| {
        let (mut state, mut y) = (vec![0.0; state], vec![0.0; y]);
        ssd_step(dims, &parameters, (xbc, dt), &mut state, &mut y)
    };
    assert_eq!(step(&dims, &[0.0; 4], &[0.0; 2], 2, 2), Ok(()));
    assert!(step(&dims, &[0.0; 3], &[0.0; 2], 2, 2).is_err());
    assert!(step(&dims, &[0.0; 4], &[0.0; 1], 2, 2).is_err());
    assert!(step(&dims, &[0.0; 4], &[0.0; 2], 3, 2).is_err());
    assert!(step(&dims, &[0.0; 4], &[0.0; 2], 2, 1).is_err());
    assert!(step(&SsdDims { groups: 0, ..dims }, &[0.0; 2], &[0.0; 2], 2, 2).is_err());
    let chunked = ssd_chunk_scan(&dims, &parameters, (&[], &[]), 0, &mut [0.0; 2], &mut []);
    assert!(chunked.is_err());
    let none = SsdDims { heads: 0, head_dim: 0, state: 0, groups: 0 };
    let nothing = SsdParameters::<f64> { a: &[], d: &[] };
    let chunked = ssd_chunk_scan(&none, &nothing, (&[], &[]), 1, &mut [], &mut []);
    assert!(chunked.is_err());
}
