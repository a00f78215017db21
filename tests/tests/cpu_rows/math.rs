//! The vectorisable functions against the exact ones, over all of f32.

use longseq_cpu::isa::Isa;
use longseq_cpu::numeric::math::{exp, gelu_tanh, sigmoid, silu, softplus, tanh};

/// Every so many bit patterns: a prime, so that all exponents and fractions are met.
const STEP: usize = 1009;

/// From `exact` to the next f32, of which the smallest normal number's is the least that is asked for.
fn unit(exact: f64) -> f64 {
    let size = (exact.abs() as f32).clamp(f32::MIN_POSITIVE, f32::MAX.next_down());
    f64::from(size.next_up()) - f64::from(size)
}

/// Checks `found` with every instruction set: within `units(x)` in the last place of `exact`, which is computed without
/// overflow or cancellation of its own.
fn check(name: &str, found: impl Fn(f32) -> f32, exact: fn(f64) -> f64, units: fn(f64) -> f64) {
    let points: Vec<f32> = (0..=u32::MAX).step_by(STEP).map(f32::from_bits).collect();
    let mut values = vec![0.0; points.len()];
    for isa in Isa::all() {
        isa.run(
            #[inline(always)]
            || {
                for (value, &x) in values.iter_mut().zip(&points) {
                    *value = found(x);
                }
            },
        );
        for (&x, &value) in points.iter().zip(&values) {
            if !x.is_finite() {
                assert_eq!(x.is_nan(), value.is_nan() && x.is_nan(), "{name}({x}) on {isa}");
                continue;
            }
            let exact = exact(x.into());
            let overflow = exact as f32 == f32::INFINITY && value == f32::INFINITY;
            let error = (f64::from(value) - exact).abs() / unit(exact);
            assert!(
                overflow || error <= units(x.into()),
                "{name}({x}) on {isa}: {value:e} rather than {exact:e}, {error} units off"
            );
        }
    }
}

/// y / (1 + e⁻ˣ).
fn times_sigmoid(y: f64, x: f64) -> f64 {
    if x < 0.0 { y * x.exp() / (1.0 + x.exp()) } else { y / (1.0 + (-x).exp()) }
}

/// 2 √(2/π) (x + 0.044715 x³), short of where e^ of it ends in f64.
fn inner(x: f64) -> f64 {
    let scale = 2.0 * (2.0 / std::f64::consts::PI).sqrt();
    (scale * (x + 0.044715 * x * x * x)).clamp(-700.0, 700.0)
}

#[test]
fn exp_is_within_a_unit() {
    check("exp", exp, f64::exp, |_| 1.0);
}

#[test]
fn tanh_is_within_some_units() {
    check("tanh", tanh, f64::tanh, |_| 2.5);
}

#[test]
fn sigmoid_and_silu_are_within_some_units() {
    check("sigmoid", sigmoid, |x| times_sigmoid(1.0, x), |_| 2.5);
    // Where e^x has lost digits, x times as many are lost of x e^x.
    let units = |x: f64| if x < -87.0 { 0.5 * x.abs() + 3.5 } else { 3.5 };
    check("silu", silu, |x| times_sigmoid(x, x), units);
}

#[test]
fn gelu_is_within_what_its_argument_allows() {
    // On the negative side it is x e^u: u is rounded up to five times, by 2⁻²⁴ of it or about a unit of the result
    // for each 1 of u. Not all five are at their worst together.
    let units = |x: f64| if x < 0.0 { 4.0 + 3.0 * inner(x).abs().min(110.0) } else { 4.0 };
    check("gelu", gelu_tanh, |x| times_sigmoid(x, inner(x)), units);
}

#[test]
fn softplus_is_within_some_units() {
    check("softplus", softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), |_| 3.5);
}

#[test]
fn the_ends_are_those_of_the_functions() {
    assert_eq!([-f32::INFINITY, -1e30, -104.0, -0.0, 0.0].map(exp), [0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!([88.73, 1e30, f32::INFINITY].map(exp), [f32::INFINITY; 3]);
    assert!(exp(88.72) < f32::INFINITY && exp(-103.9) > 0.0);
    for x in [-f32::INFINITY, -1e30, 1e30, f32::INFINITY] {
        let (step, rectified) = (if x > 0.0 { 1.0 } else { 0.0 }, x.max(0.0));
        assert_eq!((sigmoid(x), tanh(x), softplus(x)), (step, x.signum(), rectified));
    }
    for x in [-1e30, -200.0, 0.0, 200.0, 1e30_f32] {
        assert_eq!((silu(x), gelu_tanh(x)), (x.max(0.0), x.max(0.0)));
    }
}
