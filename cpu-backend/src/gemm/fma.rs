//! Products with fused multiply-add, on AVX2 and AVX-512.
#![cfg(target_arch = "x86_64")]

use pulp::{Simd, WithSimd};

use super::{Line, NR, Panel, Tile};
use crate::isa::Isa;

/// A tile of `rows` (1 to [`MR`](super::MR)): `data` \[K, rows\].
pub fn tile(isa: Isa, rows: usize, data: &[f32], panel: Panel<'_>, out: &mut Tile) {
    macro_rules! of {
        ($($rows:literal)*) => {
            match rows {
                $($rows => isa.simd(Kernel::<$rows> { data, panel, out }),)*
                _ => {}
            }
        };
    }
    of!(1 2 3 4 5 6 7 8 9 10 11 12);
}

struct Kernel<'a, const ROWS: usize> {
    data: &'a [f32],
    panel: Panel<'a>,
    out: &'a mut Tile,
}

impl<const ROWS: usize> WithSimd for Kernel<'_, ROWS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        for column in (0..NR).step_by(2 * lanes) {
            let sums = match self.panel {
                Panel::Singles(lines) => singles::<S, ROWS>(simd, self.data, lines, column),
                Panel::Pairs(lines) => pairs::<S, ROWS>(simd, self.data, lines, column),
            };
            for (out, sums) in self.out.iter_mut().zip(sums) {
                let (out, _) = S::as_mut_simd_f32s(&mut out[column..]);
                out[..2].copy_from_slice(&sums);
            }
        }
    }
}

/// Two vectors of columns, from `column` on, of every row.
#[inline(always)]
fn singles<S: Simd, const ROWS: usize>(
    simd: S,
    data: &[f32],
    lines: &[Line<f32>],
    column: usize,
) -> [[S::f32s; 2]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
    for (x, lines) in data.as_chunks::<ROWS>().0.iter().zip(lines.as_chunks::<2>().0) {
        let b = of_columns(simd, lines, column);
        for (sums, &x) in sums.iter_mut().zip(x) {
            add(simd, sums, x, b);
        }
    }
    sums
}

#[inline(always)]
fn pairs<S: Simd, const ROWS: usize>(
    simd: S,
    data: &[f32],
    lines: &[Line<u32>],
    column: usize,
) -> [[S::f32s; 2]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
    let (x, _) = data.as_chunks::<ROWS>();
    for (x, lines) in x.chunks(2).zip(lines.as_chunks::<2>().0) {
        let (low, high) = halves(simd, lines, column);
        for (sums, &x) in sums.iter_mut().zip(&x[0]) {
            add(simd, sums, x, low);
        }
        let Some(x) = x.get(1) else { break };
        for (sums, &x) in sums.iter_mut().zip(x) {
            add(simd, sums, x, high);
        }
    }
    sums
}

#[inline(always)]
fn add<S: Simd>(simd: S, sums: &mut [S::f32s; 2], x: f32, b: [S::f32s; 2]) {
    let x = simd.splat_f32s(x);
    sums[0] = simd.mul_add_f32s(x, b[0], sums[0]);
    sums[1] = simd.mul_add_f32s(x, b[1], sums[1]);
}

#[inline(always)]
fn of_columns<S: Simd>(_: S, [first, second]: &[Line<f32>; 2], column: usize) -> [S::f32s; 2] {
    let lanes = size_of::<S::f32s>() / size_of::<f32>();
    let vector = |column: usize| {
        let line = if column < 16 { first } else { second };
        S::as_simd_f32s(&line.0[column % 16..]).0[0]
    };
    [vector(column), vector(column + lanes)]
}

/// The first and the second of every pair.
#[inline(always)]
fn halves<S: Simd>(
    simd: S,
    [first, second]: &[Line<u32>; 2],
    column: usize,
) -> ([S::f32s; 2], [S::f32s; 2]) {
    let lanes = size_of::<S::f32s>() / size_of::<f32>();
    let vector = |column: usize| {
        let line = if column < 16 { first } else { second };
        S::as_simd_u32s(&line.0[column % 16..]).0[0]
    };
    let bits = [vector(column), vector(column + lanes)];
    let low = bits.map(|bits| {
        simd.transmute_f32s_u32s(simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(16)))
    });
    let high = bits
        .map(|bits| simd.transmute_f32s_u32s(simd.and_u32s(bits, simd.splat_u32s(0xffff_0000))));
    (low, high)
}
