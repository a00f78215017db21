//! Products of bf16 pairs with AVX512-BF16.
#![cfg(target_arch = "x86_64")]

use core::arch::x86_64::{
    __m256bh, __m256i, __m512bh, __m512i, _mm256_storeu_si256, _mm512_cvtne2ps_pbh,
    _mm512_cvtneps_pbh, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_setzero_ps, _mm512_setzero_si512,
    _mm512_shuffle_i32x4, _mm512_storeu_ps, _mm512_storeu_si512, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use super::{Line, MR, NR, SIDE_BY_SIDE, Tile, pack::bf16_pair};
use crate::isa::Bf16;

/// Rows of which [`tiles`] makes several panels, at most: more sums than these have no registers.
pub const FEW_ROWS: usize = 3;

/// A tile of `rows` (1 to [`MR`]): `data` \[pairs, rows\], `panel` two lines a pair. The shorter of the two
/// counts.
pub fn tile(_: Bf16, rows: usize, data: &[u32], panel: &[Line<u32>], out: &mut Tile) {
    let (panels, out) = ([panel], core::slice::from_mut(out));
    // SAFETY: the proof says that AVX512-BF16 (and with it AVX-512 F) is there.
    unsafe {
        match rows {
            1 => kernel::<1, 1>(data, panels, out),
            2 => kernel::<2, 1>(data, panels, out),
            3 => kernel::<3, 1>(data, panels, out),
            4 => kernel::<4, 1>(data, panels, out),
            5 => kernel::<5, 1>(data, panels, out),
            6 => kernel::<6, 1>(data, panels, out),
            7 => kernel::<7, 1>(data, panels, out),
            8 => kernel::<8, 1>(data, panels, out),
            9 => kernel::<9, 1>(data, panels, out),
            10 => kernel::<10, 1>(data, panels, out),
            11 => kernel::<11, 1>(data, panels, out),
            12 => kernel::<12, 1>(data, panels, out),
            _ => {}
        }
    }
}

/// Tiles of 1 to [`FEW_ROWS`] rows times several panels.
pub fn tiles(
    _: Bf16,
    rows: usize,
    data: &[u32],
    panels: [&[Line<u32>]; SIDE_BY_SIDE],
    out: &mut [Tile; SIDE_BY_SIDE],
) {
    // SAFETY: the proof says that AVX512-BF16 is there.
    unsafe {
        match rows {
            1 => kernel::<1, SIDE_BY_SIDE>(data, panels, out),
            2 => kernel::<2, SIDE_BY_SIDE>(data, panels, out),
            3 => kernel::<3, SIDE_BY_SIDE>(data, panels, out),
            _ => {}
        }
    }
}

/// # Safety
/// AVX512-BF16 must be there.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn kernel<const ROWS: usize, const PANELS: usize>(
    data: &[u32],
    panels: [&[Line<u32>]; PANELS],
    out: &mut [Tile],
) {
    const { assert!(ROWS <= MR && NR == 32) };
    let lines = panels.iter().map(|panel| panel.len()).min().unwrap_or(0);
    let pairs = (data.len() / ROWS).min(lines / 2);
    let mut sums = [[[_mm512_setzero_ps(); 2]; ROWS]; PANELS];
    let mut a = data.as_ptr();
    for pair in 0..pairs {
        for (panel, sums) in panels.iter().zip(&mut sums) {
            // SAFETY: `pairs` times ROWS elements of `data` and two lines of every panel are there; a line is 64
            // bytes, and vectors of 512 bits hold any bits.
            unsafe {
                let b = panel.as_ptr().add(2 * pair);
                let b0: __m512bh = core::mem::transmute(_mm512_loadu_si512(b.cast()));
                let b1: __m512bh = core::mem::transmute(_mm512_loadu_si512(b.add(1).cast()));
                for (row, sums) in sums.iter_mut().enumerate() {
                    let x = _mm512_set1_epi32(a.add(row).read().cast_signed());
                    let x: __m512bh = core::mem::transmute(x);
                    sums[0] = _mm512_dpbf16_ps(sums[0], x, b0);
                    sums[1] = _mm512_dpbf16_ps(sums[1], x, b1);
                }
            }
        }
        // SAFETY: as above.
        a = unsafe { a.add(ROWS) };
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        for (out, sums) in out.iter_mut().zip(sums) {
            // SAFETY: a row of a tile has 32 elements.
            unsafe {
                _mm512_storeu_ps(out.as_mut_ptr(), sums[0]);
                _mm512_storeu_ps(out.as_mut_ptr().add(16), sums[1]);
            }
        }
    }
}

/// Rounds a row to bf16 and writes its pairs `stride` elements apart.
pub fn interleave(_: Bf16, row: &[f32], out: &mut [u32], stride: usize) {
    // SAFETY: the proof says that AVX512-BF16 is there.
    unsafe { interleave_with(row, out, stride) }
}

/// # Safety
/// AVX512-BF16 must be there.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn interleave_with(row: &[f32], out: &mut [u32], stride: usize) {
    let (blocks, rest) = row.as_chunks::<16>();
    let mut pairs = [0_u32; 8];
    for (block, x) in blocks.iter().enumerate() {
        // SAFETY: 16 elements are read and 32 bytes written.
        unsafe {
            let rounded = _mm512_cvtneps_pbh(_mm512_loadu_ps(x.as_ptr()));
            _mm256_storeu_si256(
                pairs.as_mut_ptr().cast(),
                core::mem::transmute::<__m256bh, __m256i>(rounded),
            );
        }
        let out = &mut out[block * 8 * stride..];
        match out.first_chunk_mut() {
            Some(out) if stride == 1 => *out = pairs,
            _ => out.iter_mut().step_by(stride).zip(pairs).for_each(|(out, pair)| *out = pair),
        }
    }
    let done = (blocks.len() * 8 * stride).min(out.len());
    for (out, pair) in out[done..].iter_mut().step_by(stride).zip(rest.chunks(2)) {
        *out = bf16_pair(pair[0], pair.get(1).copied().unwrap_or(0.0));
    }
}

/// Rounds 16 rows to bf16: line p of `out` gets the pairs p of all of them.
pub fn transpose(_: Bf16, rows: [&[f32; NR]; 16], out: &mut [Line<u32>; 16]) {
    // SAFETY: the proof says that AVX512-BF16 is there.
    unsafe { transpose_with(rows, out) }
}

/// # Safety
/// AVX512-BF16 must be there.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn transpose_with(rows: [&[f32; NR]; 16], out: &mut [Line<u32>; 16]) {
    const { assert!(NR == 32) };
    let mut pairs = [_mm512_setzero_si512(); 16];
    for (pairs, row) in pairs.iter_mut().zip(rows) {
        // SAFETY: a row has 32 elements; vectors of 512 bits hold any bits.
        *pairs = unsafe {
            let (low, high) = (_mm512_loadu_ps(row.as_ptr()), _mm512_loadu_ps(row[16..].as_ptr()));
            core::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low))
        };
    }
    // Of every four rows each quarter of a vector gets one pair.
    let mut fours = pairs;
    for (fours, &[a, b, c, d]) in fours.as_chunks_mut().0.iter_mut().zip(pairs.as_chunks().0) {
        let low = [_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d)];
        let high = [_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d)];
        *fours = [
            _mm512_unpacklo_epi64(low[0], low[1]),
            _mm512_unpackhi_epi64(low[0], low[1]),
            _mm512_unpacklo_epi64(high[0], high[1]),
            _mm512_unpackhi_epi64(high[0], high[1]),
        ];
    }
    for pair in 0..4 {
        let [a, b, c, d] = [fours[pair], fours[4 + pair], fours[8 + pair], fours[12 + pair]];
        let even = [_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(c, d, 0x88)];
        let odd = [_mm512_shuffle_i32x4(a, b, 0xdd), _mm512_shuffle_i32x4(c, d, 0xdd)];
        let lines = [
            _mm512_shuffle_i32x4(even[0], even[1], 0x88),
            _mm512_shuffle_i32x4(odd[0], odd[1], 0x88),
            _mm512_shuffle_i32x4(even[0], even[1], 0xdd),
            _mm512_shuffle_i32x4(odd[0], odd[1], 0xdd),
        ];
        for (out, line) in out.iter_mut().skip(pair).step_by(4).zip(lines) {
            // SAFETY: a line has 64 bytes.
            unsafe { _mm512_storeu_si512(out.0.as_mut_ptr().cast(), line) };
        }
    }
}

/// Rounds pairs of rows to bf16 and interleaves them: two lines a pair.
pub fn interleave_rows<'r>(
    _: Bf16,
    pairs: impl Iterator<Item = [&'r [f32; NR]; 2]>,
    out: &mut [Line<u32>],
) {
    // SAFETY: the proof says that AVX512-BF16 is there, and AVX-512 BW with it.
    unsafe { interleave_rows_with(pairs, out) }
}

/// # Safety
/// AVX512-BF16 and AVX-512 BW must be there.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn interleave_rows_with<'r>(
    pairs: impl Iterator<Item = [&'r [f32; NR]; 2]>,
    out: &mut [Line<u32>],
) {
    /// Where the halves of a pair lie when two vectors have been rounded one after the other.
    const PLACES: [u16; 32] = {
        let mut places = [0; 32];
        let mut place = 0;
        while place < 32 {
            places[place] = place as u16 / 2 + 16 * (place as u16 % 2);
            place += 1;
        }
        places
    };
    // SAFETY: 64 bytes are read.
    let places = unsafe { _mm512_loadu_si512(PLACES.as_ptr().cast()) };
    for (out, [low, high]) in out.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
        for (half, out) in out.iter_mut().enumerate() {
            // SAFETY: a row has 32 elements, of which 16 are read; a line has 64 bytes.
            unsafe {
                let low = _mm512_loadu_ps(low[half * 16..].as_ptr());
                let high = _mm512_loadu_ps(high[half * 16..].as_ptr());
                let rounded: __m512i = core::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
                let paired = _mm512_permutexvar_epi16(places, rounded);
                _mm512_storeu_si512(out.0.as_mut_ptr().cast(), paired);
            }
        }
    }
}
