//! Softmax, and the greedy choice.

use super::Real;

/// Softmax of one row, in place: xᵢ ← e^(xᵢ − m) / Σⱼ e^(xⱼ − m) with m = max x, summed from the first
/// to the last. Nothing overflows. An empty row stays empty.
pub fn softmax<R: Real>(row: &mut [R]) {
    let maximum = row.iter().fold(R::NEG_INFINITY, |most, &x| if x > most { x } else { most });
    let mut sum = R::ZERO;
    for x in row.iter_mut() {
        *x = (*x - maximum).exp();
        sum += *x;
    }
    for x in row {
        *x = *x / sum;
    }
}

/// Index of the largest element, the lowest of equals; `None` if the row is empty or holds a NaN.
pub fn argmax<R: Real>(row: &[R]) -> Option<usize> {
    let mut best = None;
    for (index, &x) in row.iter().enumerate() {
        match best {
            _ if x.is_nan() => return None,
            Some((_, most)) if x <= most => {}
            _ => best = Some((index, x)),
        }
    }
    best.map(|(index, _)| index)
}
