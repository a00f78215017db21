//! Fixed numbers of values, which a compiler copies without a call.

/// Some values, at most `N`, filled up with zeros. To copy `N` of them takes no call.
#[inline(always)]
pub fn filled<const N: usize>(from: &[f32]) -> [f32; N] {
    from.try_into().unwrap_or_else(|_| {
        let mut out = [0.0; N];
        out[..from.len()].copy_from_slice(from);
        out
    })
}

/// Writes as many values as there is room for, at most `N`.
#[inline(always)]
pub fn put<const N: usize>(out: &mut [f32], from: &[f32; N]) {
    if let Ok(out) = <&mut [f32; N]>::try_from(&mut *out) {
        *out = *from;
    } else {
        // Not as a slice: both branches would become one call of a copy of any length.
        out.iter_mut().zip(from).for_each(|(out, from)| *out = *from);
    }
}
