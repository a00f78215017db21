//! Products with fused multiply-add, on AVX2 and AVX-512.
#![cfg(target_arch = "x86_64")]

use pulp::{Simd, WithSimd};

use super::{Line, NR, Packed, Panel, SIDE_BY_SIDE, Tile};
use crate::isa::Isa;

/// Rows of which [`tiles`] makes several panels, at most: more sums than these have no registers.
pub const FEW_ROWS: usize = 3;

/// Rows whose sums find room in 16 registers, of two vectors of columns each.
const IN_16_REGISTERS: usize = 6;

/// A tile of `rows` (1 to [`MR`](super::MR)): `data` \[K, rows\].
pub fn tile(isa: Isa, rows: usize, data: &[f32], panel: Panel<'_>, out: &mut Tile) {
    macro_rules! of {
        ($($rows:literal)*) => {
            match (rows, panel) {
                $(
                    ($rows, Panel::Pairs(lines)) => isa.simd(One::<u32, $rows> { data, lines, out }),
                    ($rows, Panel::Singles(lines)) => isa.simd(One::<f32, $rows> { data, lines, out }),
                )*
                _ => {}
            }
        };
    }
    of!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// Tiles of 1 to [`FEW_ROWS`] rows times several panels of `b`, from panel `first` on.
pub fn tiles(
    isa: Isa,
    rows: usize,
    data: &[f32],
    (b, first): (&Packed, usize),
    out: &mut [Tile; SIDE_BY_SIDE],
) {
    macro_rules! of {
        ($kind:ident, $element:ty, $($rows:literal)*) => {{
            // All panels are of one kind.
            let panels = core::array::from_fn(|number| match b.panel(first + number) {
                Panel::$kind(lines) => lines,
                _ => &[],
            });
            match rows {
                $($rows => isa.simd(Several::<$element, $rows> { data, panels, out }),)*
                _ => {}
            }
        }};
    }
    if b.is_bf16() {
        of!(Pairs, u32, 1 2 3);
    } else {
        of!(Singles, f32, 1 2 3);
    }
}

/// A tile of a panel.
struct One<'a, E, const ROWS: usize> {
    data: &'a [f32],
    lines: &'a [Line<E>],
    out: &'a mut Tile,
}

impl<E: Element, const ROWS: usize> WithSimd for One<'_, E, ROWS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if S::REGISTER_COUNT > 16 || ROWS <= IN_16_REGISTERS {
            return self.part::<S, 0, ROWS>(simd);
        }
        match ROWS {
            7 => self.halves::<S, 4, 3>(simd),
            8 => self.halves::<S, 4, 4>(simd),
            9 => self.halves::<S, 5, 4>(simd),
            10 => self.halves::<S, 5, 5>(simd),
            11 => self.halves::<S, 6, 5>(simd),
            _ => self.halves::<S, 6, 6>(simd),
        }
    }
}

impl<E: Element, const ROWS: usize> One<'_, E, ROWS> {
    #[inline(always)]
    fn halves<S: Simd, const FIRST: usize, const SECOND: usize>(&mut self, simd: S) {
        self.part::<S, 0, FIRST>(simd);
        self.part::<S, FIRST, SECOND>(simd);
    }

    /// `PART` rows from row `FIRST` on, two vectors of columns at a time.
    #[inline(always)]
    fn part<S: Simd, const FIRST: usize, const PART: usize>(&mut self, simd: S) {
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        let rows = self.data.as_chunks::<ROWS>().0;
        for column in (0..NR).step_by(2 * lanes) {
            let [sums] = sums::<S, E, ROWS, FIRST, PART, 2, 1>(simd, rows, [self.lines], column);
            store::<S, 2>(&mut self.out[FIRST..], &sums, column);
        }
    }
}

/// Tiles of panels that are read side by side.
struct Several<'a, E, const ROWS: usize> {
    data: &'a [f32],
    panels: [&'a [Line<E>]; SIDE_BY_SIDE],
    out: &'a mut [Tile; SIDE_BY_SIDE],
}

impl<E: Element, const ROWS: usize> WithSimd for Several<'_, E, ROWS> {
    type Output = ();

    /// As many at once as there are registers for their sums.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (S::REGISTER_COUNT > 16, ROWS) {
            (true, _) => self.together::<S, 2, SIDE_BY_SIDE>(simd),
            (false, 1) => self.together::<S, 4, 2>(simd),
            (false, _) => self.together::<S, 4, 1>(simd),
        }
    }
}

impl<E: Element, const ROWS: usize> Several<'_, E, ROWS> {
    /// `PANELS` at once; `VECTORS` make a panel's width.
    #[inline(always)]
    fn together<S: Simd, const VECTORS: usize, const PANELS: usize>(self, simd: S) {
        let rows = self.data.as_chunks::<ROWS>().0;
        let tiles = self.out.as_chunks_mut::<PANELS>().0;
        for (&panels, tiles) in self.panels.as_chunks::<PANELS>().0.iter().zip(tiles) {
            let sums = sums::<S, E, ROWS, 0, ROWS, VECTORS, PANELS>(simd, rows, panels, 0);
            for (tile, sums) in tiles.iter_mut().zip(&sums) {
                store::<S, VECTORS>(&mut **tile, sums, 0);
            }
        }
    }
}

/// The sums of `PART` rows from `FIRST` on and of `VECTORS` vectors of columns from `column` on of every panel.
#[inline(always)]
fn sums<
    S: Simd,
    E: Element,
    const ROWS: usize,
    const FIRST: usize,
    const PART: usize,
    const VECTORS: usize,
    const PANELS: usize,
>(
    simd: S,
    rows: &[[f32; ROWS]],
    panels: [&[Line<E>]; PANELS],
    column: usize,
) -> [[[S::f32s; VECTORS]; PART]; PANELS] {
    let mut sums = [[[simd.splat_f32s(0.0); VECTORS]; PART]; PANELS];
    let depth = panels.iter().map(|lines| lines.len() / 2).min().unwrap_or(0);
    let panels = panels.map(|lines| &lines.as_chunks::<2>().0[..depth]);
    for (at, x) in rows.chunks(E::DEPTH).take(depth).enumerate() {
        for (lines, sums) in panels.iter().zip(&mut sums) {
            let elements = E::of_columns::<S, VECTORS>(simd, &lines[at], column);
            for (x, b) in x.iter().zip(elements) {
                for (sums, &x) in sums.iter_mut().zip(&x[FIRST..FIRST + PART]) {
                    let x = simd.splat_f32s(x);
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = simd.mul_add_f32s(x, b, *sum);
                    }
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn store<S: Simd, const VECTORS: usize>(
    out: &mut [[f32; NR]],
    sums: &[[S::f32s; VECTORS]],
    column: usize,
) {
    for (out, sums) in out.iter_mut().zip(sums) {
        S::as_mut_simd_f32s(&mut out[column..]).0[..VECTORS].copy_from_slice(sums);
    }
}

/// What the lines of a panel are made of.
trait Element: Copy {
    /// Elements of k in one of them.
    const DEPTH: usize;

    /// `VECTORS` vectors of columns, from `column` on, of each k; only the first [`Self::DEPTH`] count.
    fn of_columns<S: Simd, const VECTORS: usize>(
        simd: S,
        lines: &[Line<Self>; 2],
        column: usize,
    ) -> [[S::f32s; VECTORS]; 2];
}

impl Element for f32 {
    const DEPTH: usize = 1;

    #[inline(always)]
    fn of_columns<S: Simd, const VECTORS: usize>(
        _: S,
        lines: &[Line<Self>; 2],
        column: usize,
    ) -> [[S::f32s; VECTORS]; 2] {
        let vector = |number: usize| {
            let at = column + number * (size_of::<S::f32s>() / size_of::<f32>());
            S::as_simd_f32s(&lines[at / 16].0[at % 16..]).0[0]
        };
        [core::array::from_fn(vector); 2]
    }
}

impl Element for u32 {
    const DEPTH: usize = 2;

    #[inline(always)]
    fn of_columns<S: Simd, const VECTORS: usize>(
        simd: S,
        lines: &[Line<Self>; 2],
        column: usize,
    ) -> [[S::f32s; VECTORS]; 2] {
        let vector = |number: usize| {
            let at = column + number * (size_of::<S::u32s>() / size_of::<u32>());
            S::as_simd_u32s(&lines[at / 16].0[at % 16..]).0[0]
        };
        let bits: [S::u32s; VECTORS] = core::array::from_fn(vector);
        let low = |bits| simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(16));
        let high = |bits| simd.and_u32s(bits, simd.splat_u32s(0xffff_0000));
        [
            bits.map(|bits| simd.transmute_f32s_u32s(low(bits))),
            bits.map(|bits| simd.transmute_f32s_u32s(high(bits))),
        ]
    }
}
