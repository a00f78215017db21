//! Pointwise functions.

use super::Real;

/// Logistic function σ(x) = 1 / (1 + e⁻ˣ). Where e⁻ˣ overflows, the result is 0.
pub fn sigmoid<R: Real>(x: R) -> R {
    R::ONE / (R::ONE + (-x).exp())
}

/// silu(x) = x σ(x) (Elfwing et al. 2018; also "swish").
pub fn silu<R: Real>(x: R) -> R {
    x * sigmoid(x)
}

/// softplus(x) = ln(1 + eˣ), through `log1p`; above 20 it is x, as in PyTorch (the difference there is
/// below 2.1e-9), so that nothing overflows.
pub fn softplus<R: Real>(x: R) -> R {
    if x > R::from_f64(20.0) { x } else { x.exp().ln_1p() }
}

/// gelu_tanh(x) = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks and Gimpel 2016).
pub fn gelu_tanh<R: Real>(x: R) -> R {
    // √(2/π) = (2/√π) / √2.
    let scale = R::from_f64(core::f64::consts::FRAC_2_SQRT_PI * core::f64::consts::FRAC_1_SQRT_2);
    let inner = scale * (x + R::from_f64(0.044715) * x * x * x);
    R::from_f64(0.5) * x * (R::ONE + inner.tanh())
}

/// SwiGLU's product (Shazeer 2020) of one token: outᵢ = upᵢ · silu(gateᵢ), with `up_gate` the values
/// \[F\] followed by the gate \[F\], and `out` \[F\].
pub fn swiglu<R: Real>(up_gate: &[R], out: &mut [R]) {
    let (up, gate) = up_gate.split_at(up_gate.len() / 2);
    for ((out, &up), &gate) in out.iter_mut().zip(up).zip(gate) {
        *out = up * silu(gate);
    }
}
