//! Products with packed matrices: C \[M, N\] = A \[M, K\] · Bᵀ, B \[N, K\] packed once at load.
//!
//! A [`Packed`] matrix lies in panels of [`NR`] of its N columns of C; within a panel the elements of one k, or in
//! bf16 of one pair of k, stand side by side. A kernel makes a tile of at most [`MR`] rows and one panel, over
//! all of K, with one accumulator an element: so an element's sum runs from the first k to the last (pair by
//! pair in bf16) whatever rows and threads there are beside it. Sums are in f32.
//!
//! | instruction set | B in bf16 | B in f32 |
//! |---|---|---|
//! | AVX512-BF16 | A rounded to bf16, `vdpbf16ps` | fused multiply-add |
//! | AVX-512, AVX2 | fused multiply-add, A in f32 | fused multiply-add |
//! | portable | product, then sum, A in f32 | product, then sum |

mod bf16;
mod driver;
mod fma;
mod lhs;
mod pack;
mod pages;
mod portable;
mod room;

use core::ops::{Deref, DerefMut};

use crate::isa::Isa;

pub use driver::{Output, product};
pub use lhs::{Lhs, LhsRoom, Rows};
pub use pack::{Packed, Panel, Stored, bf16_pair};
pub use pages::NoMemory;
pub use room::Room;

/// Columns of a panel.
pub const NR: usize = 32;

/// Rows of a tile, at most.
pub const MR: usize = 12;

/// What a kernel makes: rows of a panel's columns.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Tile(pub [[f32; NR]; MR]);

impl Tile {
    /// Zeros.
    pub const ZERO: Self = Self([[0.0; NR]; MR]);
}

impl Deref for Tile {
    type Target = [[f32; NR]; MR];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Tile {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// A cache line, aligned as one.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Line<T>(pub [T; 16]);

macro_rules! plain {
    ($of:ty) => {
        // SAFETY: 16 elements of 4 bytes, of which any bits are values, and no padding beside them.
        unsafe impl bytemuck::Zeroable for Line<$of> {}
        // SAFETY: as above.
        unsafe impl bytemuck::Pod for Line<$of> {}
    };
}

plain!(u32);
plain!(f32);

/// A tile of `rows` (1 to [`MR`]) times a panel; rows of `out` beyond them are left as they are.
#[inline]
pub fn tile(isa: Isa, rows: Rows<'_>, panel: Panel<'_>, out: &mut Tile) {
    match (isa, rows, panel) {
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Bf16(_, proof), Rows::Pairs { data, rows }, Panel::Pairs(panel)) => {
            bf16::tile(proof, rows, data, panel, out);
        }
        #[cfg(target_arch = "x86_64")]
        (
            Isa::Avx2(_) | Isa::Avx512(_) | Isa::Avx512Bf16(..),
            Rows::Singles { data, rows },
            panel,
        ) => {
            fma::tile(isa, rows, data, panel, out);
        }
        (_, Rows::Singles { data, rows }, panel) => portable::tile(rows, data, panel, out),
        // Rows are packed for the instruction set and the panel: see `Lhs::pack`.
        (_, Rows::Pairs { .. }, _) => {}
    }
}

/// Panels that are read side by side where rows are few: a thread gets more of the memory's bandwidth that way than
/// by reading one after the other.
const SIDE_BY_SIDE: usize = 4;

/// Tiles of the same rows times several panels, from panel `first` on: as many as `out` has.
fn tiles(isa: Isa, rows: Rows<'_>, b: &Packed, first: usize, out: &mut [Tile]) {
    #[cfg(target_arch = "x86_64")]
    if let (Isa::Avx512Bf16(_, proof), Rows::Pairs { data, rows: rows @ ..=bf16::FEW_ROWS }) =
        (isa, rows)
        && let Ok(out) = <&mut [Tile; SIDE_BY_SIDE]>::try_from(&mut *out)
    {
        let lines = |number| match b.panel(first + number) {
            Panel::Pairs(lines) => lines,
            // Rows are in pairs where panels are.
            Panel::Singles(_) => &[],
        };
        return bf16::tiles(proof, rows, data, core::array::from_fn(lines), out);
    }
    #[cfg(target_arch = "x86_64")]
    if let (
        Isa::Avx2(_) | Isa::Avx512(_) | Isa::Avx512Bf16(..),
        Rows::Singles { data, rows: rows @ ..=fma::FEW_ROWS },
    ) = (isa, rows)
        && let Ok(out) = <&mut [Tile; SIDE_BY_SIDE]>::try_from(&mut *out)
    {
        return fma::tiles(isa, rows, data, (b, first), out);
    }
    for (panel, out) in (first..).zip(out) {
        tile(isa, rows, b.panel(panel), out);
    }
}

/// Rounds [`NR`] elements of 16 columns of a panel to bf16, those of its first half (0) or its second (1): two lines a
/// pair.
#[inline]
pub fn pack_columns(isa: Isa, columns: [&[f32; NR]; 16], half: usize, out: &mut [Line<u32>]) {
    let mut pairs = [Line::default(); 16];
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Bf16(_, proof) => bf16::transpose(proof, columns, &mut pairs),
        _ => {
            for (pair, out) in pairs.iter_mut().enumerate() {
                out.0 = columns.map(|of| bf16_pair(of[2 * pair], of[2 * pair + 1]));
            }
        }
    }
    out.as_chunks_mut::<2>().0.iter_mut().zip(pairs).for_each(|(out, pairs)| out[half] = pairs);
}

/// Rounds rows of a panel to bf16, as many (an even number) as `out` has lines: two lines a pair of rows.
#[inline]
pub fn pack_rows<'r>(isa: Isa, row: impl Fn(usize) -> &'r [f32; NR], out: &mut [Line<u32>]) {
    let pairs = (0..).step_by(2).map(|first| [row(first), row(first + 1)]);
    #[cfg(target_arch = "x86_64")]
    if let Isa::Avx512Bf16(_, proof) = isa {
        return bf16::interleave_rows(proof, pairs, out);
    }
    let _ = isa;
    for (out, [low, high]) in out.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
        for (column, (&low, &high)) in low.iter().zip(high).enumerate() {
            out[column / 16].0[column % 16] = bf16_pair(low, high);
        }
    }
}
