//! Vectorisable functions against the exact ones.

use longseq_cpu::numeric::math::{exp, gelu_tanh, sigmoid, silu, softplus, tanh};

/// From −100 to 100, finely near 0.
fn points() -> impl Iterator<Item = f32> {
    let coarse = (-200_000..=200_000).map(|i| i as f32 * 5e-4);
    coarse.chain((-20_000..=20_000).map(|i| i as f32 * 1e-6))
}

fn check(name: &str, bound: f64, found: fn(f32) -> f32, exact: fn(f64) -> f64) {
    for x in points() {
        let (found, exact) = (f64::from(found(x)), exact(x.into()));
        // Below the smallest normal number digits are lost.
        let error = (found - exact).abs() / (exact.abs() + 1e-31);
        assert!(error <= bound, "{name}({x}): {found}, not {exact}");
    }
    assert!(found(f32::NAN).is_nan(), "{name}(NaN)");
}

#[test]
fn functions_are_within_a_few_units_in_the_last_place() {
    // One unit is 1.2e-7 at most.
    check("sigmoid", 6e-7, sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
    check("silu", 6e-7, silu, |x| x / (1.0 + (-x).exp()));
    check("tanh", 6e-7, tanh, f64::tanh);
    check("softplus", 6e-7, softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p());
    for x in points().filter(|x| *x < 88.0) {
        let (found, exact) = (f64::from(exp(x)), f64::from(x).exp());
        assert!((found - exact).abs() <= 4e-7 * exact + 1e-44, "exp({x}): {found}, not {exact}");
    }
    for x in points().filter(|x| x.abs() < 4.0) {
        let u = f64::from(x) * (2.0 / std::f64::consts::PI).sqrt();
        let exact = f64::from(x) / (1.0 + (-2.0 * u * (1.0 + 0.044715 * f64::from(x * x))).exp());
        let found = f64::from(gelu_tanh(x));
        assert!((found - exact).abs() <= 4e-6 * exact.abs(), "gelu({x}): {found}, not {exact}");
    }
}

#[test]
fn the_ends_are_those_of_the_functions() {
    assert_eq!((exp(-1e30), exp(1e30), exp(0.0)), (0.0, f32::INFINITY, 1.0));
    for x in [-1e30_f32, -1e4, 1e4, 1e30] {
        let rectified = x.max(0.0);
        let found = (silu(x).abs(), softplus(x), gelu_tanh(x).abs());
        assert_eq!(found, (rectified, rectified, rectified));
        assert_eq!((sigmoid(x), tanh(x)), (if x > 0.0 { 1.0 } else { 0.0 }, x.signum()));
    }
}
