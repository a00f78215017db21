//! The scalar type, which decides the precision of everything computed with it.

use core::fmt::Debug;
use core::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`, with `libm`'s functions rather than the host's.
pub trait Real:
    sealed::Sealed
    + Copy
    + Debug
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// −∞, the maximum of nothing.
    const NEG_INFINITY: Self;

    /// Exact.
    fn from_f32(value: f32) -> Self;
    /// Exact in `f64`, rounded to nearest in `f32`.
    fn from_f64(value: f64) -> Self;
    /// Exact from `f32`, rounded to nearest from `f64`.
    fn to_f32(self) -> f32;
    /// Exact.
    fn to_f64(self) -> f64;
    /// |x|.
    fn abs(self) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1, exact also near 0.
    fn exp_m1(self) -> Self;
    /// ln(1 + x).
    fn ln_1p(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// tanh x.
    fn tanh(self) -> Self;
    /// sin x, x in radians.
    fn sin(self) -> Self;
    /// cos x, x in radians.
    fn cos(self) -> Self;
    /// Whether this is no number.
    fn is_nan(self) -> bool;

    /// `count`, rounded to nearest.
    fn from_count(count: usize) -> Self {
        Self::from_f64(count as f64)
    }
}

macro_rules! real {
    ($scalar:ty, $abs:path, $exp:path, $exp_m1:path, $ln_1p:path, $sqrt:path, $tanh:path, $sin:path, $cos:path) => {
        impl Real for $scalar {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = <$scalar>::NEG_INFINITY;

            fn from_f32(value: f32) -> Self {
                value.into()
            }
            fn from_f64(value: f64) -> Self {
                value as $scalar
            }
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn abs(self) -> Self {
                $abs(self)
            }
            fn exp(self) -> Self {
                $exp(self)
            }
            fn exp_m1(self) -> Self {
                $exp_m1(self)
            }
            fn ln_1p(self) -> Self {
                $ln_1p(self)
            }
            fn sqrt(self) -> Self {
                $sqrt(self)
            }
            fn tanh(self) -> Self {
                $tanh(self)
            }
            fn sin(self) -> Self {
                $sin(self)
            }
            fn cos(self) -> Self {
                $cos(self)
            }
            fn is_nan(self) -> bool {
                <$scalar>::is_nan(self)
            }
        }
    };
}

use libm::{cos, cosf, exp, expf, expm1, expm1f, fabs, fabsf, log1p, log1pf};
use libm::{sin, sinf, sqrt, sqrtf, tanh, tanhf};

real!(f32, fabsf, expf, expm1f, log1pf, sqrtf, tanhf, sinf, cosf);
real!(f64, fabs, exp, expm1, log1p, sqrt, tanh, sin, cos);
