//! Which vector instructions there are.

use core::fmt;

/// An instruction set, present on this machine: there is no other way to get one.
#[derive(Clone, Copy, Debug)]
pub enum Isa {
    /// Whatever the target has of itself (SSE2 on x86-64, NEON on AArch64).
    Portable,
    /// AVX2 with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// AVX-512 F, BW, CD, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// The same with dot products of bf16 pairs.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16(pulp::x86::V4, Bf16),
}

/// Proof that the machine has AVX512-BF16.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct Bf16(());

impl Isa {
    /// Every instruction set of this machine, the fastest last.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V3::try_new().map(Self::Avx2));
            let v4 = pulp::x86::V4::try_new();
            all.extend(v4.map(Self::Avx512));
            let bf16 = is_x86_feature_detected!("avx512bf16").then_some(Bf16(()));
            all.extend(v4.zip(bf16).map(|(v4, bf16)| Self::Avx512Bf16(v4, bf16)));
        }
        all
    }

    /// The fastest of this machine.
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Self::Portable)
    }

    /// The name in plans and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16(..) => "avx512bf16",
        }
    }

    /// Whether it multiplies pairs of bf16.
    pub const fn has_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if let Self::Avx512Bf16(..) = self {
            return true;
        }
        false
    }

    /// Runs `f` compiled for the instruction set: loops in it that a compiler can vectorise are.
    #[inline(always)]
    pub fn run<T>(self, f: impl FnOnce() -> T) -> T {
        match self {
            Self::Portable => f(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(v3) => v3.vectorize(f),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(v4) | Self::Avx512Bf16(v4, _) => v4.vectorize(f),
        }
    }

    /// Runs an operation that is written over pulp's vectors.
    #[inline(always)]
    pub fn simd<O: pulp::WithSimd>(self, operation: O) -> O::Output {
        match self {
            Self::Portable => operation.with_simd(pulp::Scalar),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(v3) => pulp::Simd::vectorize(v3, operation),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(v4) | Self::Avx512Bf16(v4, _) => pulp::Simd::vectorize(v4, operation),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Asks for the cache lines of some values that will be written: until then they come from memory beside other work.
#[inline(always)]
pub fn fetch(values: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for first in values.iter().step_by(16).chain(values.last()) {
        use core::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        // SAFETY: every x86-64 has SSE, and a prefetch has no effect that a program sees.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(core::ptr::from_ref(first).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
