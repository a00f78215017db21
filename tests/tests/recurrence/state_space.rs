//! Discretisation, recurrence and convolution against goldens, and the laws that tie them.

use longseq_core::recurrence::state_space::{
    BilinearError, Discrete, bilinear, convolve, hippo_legs,
};
use longseq_tests::golden::{Golden, max_difference};
use proptest::prelude::*;

/// The recurrent form over a whole input: outputs and final state.
fn run(system: &Discrete<'_, f64>, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut h, mut next) = (vec![0.0; system.b.len()], vec![f64::NAN; system.b.len()]);
    let y = x.iter().map(|&x| system.step(x, &mut h, &mut next).unwrap()).collect();
    (y, h)
}

/// The convolutional form over a whole input: kernel and outputs.
fn run_convolution(system: &Discrete<'_, f64>, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let size = system.b.len();
    let (mut h, mut next) = (vec![f64::NAN; size], vec![f64::NAN; size]);
    let (mut kernel, mut y) = (vec![f64::NAN; x.len()], vec![f64::NAN; x.len()]);
    system.kernel(&mut kernel, &mut h, &mut next).unwrap();
    convolve(&kernel, system.d, x, &mut y).unwrap();
    (kernel, y)
}

#[test]
fn equals_the_goldens() {
    let golden = Golden::read(&longseq_tests::fixtures().join("models/s4/golden.safetensors"));
    for case in ["case0", "case1"] {
        let get = |name: &str| golden.reals(&format!("{case}.{name}"));
        let (mut a, mut b, c, x) = (get("A"), get("B"), get("C"), get("x"));
        let mut work = vec![f64::NAN; a.len()];
        bilinear(&mut a, &mut b, get("dt")[0], &mut work).unwrap();
        let system = Discrete { a: &a, b: &b, c: &c, d: get("D")[0] };
        let (y, h) = run(&system, &x);
        let (kernel, convolved) = run_convolution(&system, &x);
        for (name, found) in [
            ("Abar", &a),
            ("Bbar", &b),
            ("K", &kernel),
            ("y", &y),
            ("y", &convolved),
            ("h_final", &h),
        ] {
            let difference = max_difference(found, &get(name));
            assert!(difference < 1e-12, "{case}.{name} differs by {difference:e}");
        }
    }
}

#[test]
fn hippo_is_the_goldens() {
    let golden = Golden::read(&longseq_tests::fixtures().join("models/s4/golden.safetensors"));
    let (mut a, mut b) = ([f64::NAN; 16], [f64::NAN; 4]);
    hippo_legs(&mut a, &mut b).unwrap();
    assert!(max_difference(&a, &golden.reals("case0.A")) < 1e-15);
    assert!(max_difference(&b, &golden.reals("case0.B")) < 1e-15);
}

#[test]
fn a_singular_step_is_refused() {
    // 2/Δ = 4 is an eigenvalue.
    let (mut a, mut b, mut work) = ([4.0, 0.0, 0.0, -1.0], [1.0, 1.0], [0.0; 4]);
    assert_eq!(bilinear(&mut a, &mut b, 0.5, &mut work), Err(BilinearError::Singular));
    let short = bilinear(&mut a, &mut b, 0.5, &mut work[..3]);
    assert!(matches!(short, Err(BilinearError::Shape(_))));
}

/// A system of three states with eigenvalues in the left half plane: −p and −q ± ir in a rotated basis.
fn stable() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<f64>)> {
    let vector = || prop::collection::vec(-1.0..1.0, 3);
    (0.1..5.0, 0.1..5.0, -5.0..5.0, 0.0..6.3, vector(), vector()).prop_map(
        |(p, q, r, angle, b, c): (f64, f64, f64, f64, _, _)| {
            let (s, z) = angle.sin_cos();
            let basis = [[z, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, z]];
            let blocks = [[-q, r, 0.0], [-r, -q, 0.0], [0.0, 0.0, -p]];
            let mut a = vec![0.0; 9];
            for (i, j, k, l) in indices(3) {
                a[i * 3 + j] += basis[i][k] * blocks[k][l] * basis[j][l];
            }
            (a, b, c)
        },
    )
}

/// All quadruples of numbers below `n`.
fn indices(n: usize) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..n.pow(4)).map(move |x| (x % n, x / n % n, x / n / n % n, x / n / n / n))
}

proptest! {
    #[test]
    fn recurrence_is_convolution(
        (mut a, mut b, c) in stable(),
        (dt, d) in (0.01..1.0, -1.0..1.0),
        x in prop::collection::vec(-2.0..2.0, 1..80),
    ) {
        bilinear(&mut a, &mut b, dt, &mut [f64::NAN; 9]).unwrap();
        let system = Discrete { a: &a, b: &b, c: &c, d };
        let (y, _) = run(&system, &x);
        prop_assert!(max_difference(&y, &run_convolution(&system, &x).1) < 1e-11);
    }

    #[test]
    fn a_stable_system_stays_stable((mut a, mut b, c) in stable(), dt in 0.001..100.0) {
        bilinear(&mut a, &mut b, dt, &mut [f64::NAN; 9]).unwrap();
        // The eigenvalues lie within the unit disc: the response to a state dies out.
        let system = Discrete { a: &a, b: &b, c: &c, d: 0.0 };
        let (mut h, mut next) = (vec![1.0; 3], vec![0.0; 3]);
        let norm = |h: &[f64]| h.iter().map(|x| x * x).sum::<f64>().sqrt();
        let mut last = norm(&h);
        for _ in 0..50 {
            system.step(0.0, &mut h, &mut next).unwrap();
            prop_assert!(norm(&h) < last || last == 0.0);
            last = norm(&h);
        }
    }
}
