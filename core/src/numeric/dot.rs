//! The inner product, in one fixed order.

use super::Real;

/// Σᵢ aᵢ bᵢ over the common length, in eight partial sums (element i belongs to sum i mod 8) that are
/// added pairwise at the end.
///
/// The order never varies, so neither do the bits; eight independent sums let a compiler use vector
/// registers without reordering anything.
pub fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    let mut sums = [R::ZERO; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    for (sum, (&x, &y)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += x * y;
    }
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
    ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
}
