//! Holm's correction for many tests.

/// Adjusted p-values: with `p_(1) ≤ … ≤ p_(m)`,
///
/// `a_(i) = max_{j ≤ i} min(1, (m − j + 1) p_(j))`
///
/// Whichever `a_i` are below α, the chance of one false rejection among all is at most α, however the
/// tests depend on each other (S. Holm, *A simple sequentially rejective multiple test procedure*,
/// 1979). `adjusted` has as many places as `p`; further places stay as they are, and missing ones
/// are left out. O(m³) without a buffer: m is the number of pairs of models.
pub fn adjust(p: &[f64], adjusted: &mut [f64]) {
    let smaller = |i: usize| {
        let before = |(j, other): &(usize, &f64)| **other < p[i] || (**other == p[i] && *j < i);
        p.iter().enumerate().filter(before).count()
    };
    let mut most = 0.0_f64;
    for rank in 0..p.len() {
        let Some(i) = (0..p.len()).find(|&i| smaller(i) == rank) else { continue };
        most = most.max((p[i] * (p.len() - rank) as f64).min(1.0));
        if let Some(place) = adjusted.get_mut(i) {
            *place = most;
        }
    }
}
