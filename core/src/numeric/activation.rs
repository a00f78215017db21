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

/// squared_relu(x) = max(x, 0)² (So et al. 2021), the activation of RWKV's channel mix.
pub fn squared_relu<R: Real>(x: R) -> R {
    let positive = if x > R::ZERO { x } else { R::ZERO };
    positive * positive
}

/// soft_cap(x) = c · tanh(x / c), which keeps logits within ±c (Gemma team 2024, §2).
pub fn soft_cap<R: Real>(x: R, cap: R) -> R {
    cap * (x / cap).tanh()
}

/// A pointwise function that is part of a larger operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x.
    Identity,
    /// [`silu`].
    Silu,
    /// [`gelu_tanh`].
    GeluTanh,
    /// [`sigmoid`].
    Sigmoid,
}

impl Activation {
    /// f(x).
    pub fn apply<R: Real>(self, x: R) -> R {
        match self {
            Self::Identity => x,
            Self::Silu => silu(x),
            Self::GeluTanh => gelu_tanh(x),
            Self::Sigmoid => sigmoid(x),
        }
    }
}

/// Extents of a gated linear unit over several tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GluDims {
    /// T, tokens.
    pub rows: usize,
    /// Channels.
    pub width: usize,
    /// f.
    pub activation: Activation,
    /// Whether the product is added to what the output holds (a residual stream) or replaces it.
    pub accumulate: bool,
}

/// The product of a gated linear unit (Shazeer 2020) of one token: outᵢ = upᵢ · f(gateᵢ), or that much added to
/// outᵢ.
pub fn gated_linear_unit<R: Real>(dims: &GluDims, up: &[R], gate: &[R], out: &mut [R]) {
    for ((out, &up), &gate) in out.iter_mut().zip(up).zip(gate) {
        let product = up * dims.activation.apply(gate);
        *out = if dims.accumulate { *out + product } else { product };
    }
}
