//! The recurrence of RWKV-6, a tile of the state in registers over a block of tokens.
//!
//! In the tile, value channels lie in a vector's lanes and key channels are its rows: for a row and a token one product
//! and two fused multiply-adds, o += r S and S = k v + (w S). o begins at (Σ r u k) v; the rows of a tile are summed in
//! two sums, even and odd, and the tiles one after the other.

use longseq_core::{
    backend::{Columns, Wkv6Inputs, Wkv6Scan},
    batch::Sequences,
    error::enough,
    recurrence::wkv6::Wkv6Dims,
    state::StateMut,
};
use pulp::Simd;

use super::heads::{self, Part, Reads, Row, Square, Tiled};
use crate::{
    Cpu, Result,
    floats::Floats,
    lanes::{filled, put},
    numeric::math::{exp, pairwise},
    weight::Weight,
};

impl Wkv6Scan for Cpu {
    fn wkv6_scan(
        &mut self,
        dims: &Wkv6Dims,
        sequences: &Sequences<'_>,
        inputs: Wkv6Inputs<'_, [f32]>,
        bonus: &Weight,
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result {
        let Self { isa, between, .. } = self;
        let (operation, isa, rows, width) = ("wkv6_scan", *isa, sequences.rows(), dims.width());
        let Wkv6Inputs { receptance, key, value, decay } = &inputs;
        let bonus = bonus.values(operation)?;
        dims.check(bonus.len(), state.region.elements)?;
        for (operand, columns) in
            [("receptance", receptance), ("key", key), ("value", value), ("decay", decay)]
        {
            columns.check((operation, operand), (rows, width), columns.buffer.len())?;
        }
        enough(operation, "out", rows.saturating_mul(width), out.len())?;
        let extents = (dims.heads, dims.head_dim);
        let outs = (out, between);
        heads::each(operation, sequences, state, extents, outs, |part, state, out, own| {
            isa.simd(Square(Heads { dims, inputs: &inputs, bonus, part, state, out, own }));
        })?;
        Ok(())
    }
}

/// Elements that a thread works in over this many tokens, with tiles of so many vectors.
pub const fn work(dims: &Wkv6Dims, tokens: usize, side: usize) -> usize {
    let keys = dims.head_dim.next_multiple_of(side).saturating_mul(3);
    keys.saturating_add(2 * side + 1).saturating_mul(tokens)
}

/// Some heads over the tokens of a block: their `state` \[heads, K, V\] and `out`
/// \[heads, tokens, V\].
struct Heads<'a> {
    dims: &'a Wkv6Dims,
    inputs: &'a Wkv6Inputs<'a, [f32]>,
    bonus: &'a [f32],
    part: Part,
    state: &'a mut [f32],
    out: &'a mut [f32],
    own: &'a mut Floats,
}

impl Tiled for Heads<'_> {
    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { dims, inputs, bonus, part, state, out, own } = self;
        let (n, Part { row, tokens, head }) = (dims.head_dim, part);
        let tiles = n.div_ceil(SIDE);
        let own = own.room(work(dims, tokens, SIDE));
        let (keys, own) = own.split_at_mut(3 * tiles * tokens * SIDE);
        let (values, own) = own.split_at_mut(tokens * SIDE);
        let (sums, own_bonus) = own.split_at_mut(tokens * SIDE);
        let outs = out.chunks_exact_mut(tokens * n);
        for (head, (state, out)) in (head..).zip(state.chunks_exact_mut(n * n).zip(outs)) {
            let first = head * n;
            let bonus = &bonus[first..][..n];
            read_keys::<SIDE>(inputs, (row, first), bonus, keys, own_bonus);
            if tokens == 1 && heads::has_whole_rows::<SIDE>(n) {
                let values = columns(&inputs.value, row, first, n);
                out.iter_mut().zip(values).for_each(|(o, v)| *o = own_bonus[0] * v);
                for (keys, state) in keys.chunks_exact(3 * SIDE).zip(state.chunks_mut(SIDE * n)) {
                    let [r, k, w] = [0, 1, 2].map(|of| &keys[of * SIDE..][..SIDE]);
                    let rows = (0..SIDE).map(|i| Row { write: k[i], keep: w[i], read: r[i] });
                    heads::advance_rows(simd, state, rows, Reads::Before, values, out);
                }
                continue;
            }
            for v in (0..n).step_by(SIDE) {
                let width = SIDE.min(n - v);
                let both = values.chunks_exact_mut(SIDE).zip(sums.chunks_exact_mut(SIDE));
                for (token, (values, sums)) in both.enumerate() {
                    let from = columns(&inputs.value, row + token, first + v, width);
                    put(values, &filled::<SIDE>(from));
                    sums.iter_mut().zip(&*values).for_each(|(o, v)| *o = own_bonus[token] * v);
                }
                for (tile, keys) in keys.chunks_exact(3 * tokens * SIDE).enumerate() {
                    let height = SIDE.min(n - tile * SIDE);
                    let rows = state[tile * SIDE * n..][..height * n].chunks_exact_mut(n);
                    let mut block = [[0.0; SIDE]; SIDE];
                    for (block, row) in block.iter_mut().zip(rows) {
                        *block = filled(&row[v..][..width]);
                    }
                    let mut s = block.each_ref().map(|row| S::as_simd_f32s(row).0[0]);
                    advance::<S, SIDE>(simd, &mut s, keys, values, sums);
                    for (block, s) in block.iter_mut().zip(s) {
                        S::as_mut_simd_f32s(block).0[0] = s;
                    }
                    let rows = state[tile * SIDE * n..][..height * n].chunks_exact_mut(n);
                    for (block, row) in block.iter().zip(rows) {
                        put(&mut row[v..][..width], block);
                    }
                }
                for (out, sums) in out.chunks_exact_mut(n).zip(sums.as_chunks::<SIDE>().0) {
                    put(&mut out[v..][..width], sums);
                }
            }
        }
    }
}

/// `width` columns of a row, from `first` on.
#[inline(always)]
fn columns<'a>(of: &Columns<&'a [f32]>, row: usize, first: usize, width: usize) -> &'a [f32] {
    &of.buffer[row * of.stride + of.offset + first..][..width]
}

/// r, k and w of a head's tokens from row `row` on, \[tiles, tokens, 3, `SIDE`\] filled up with zeros, and Σ r u k of
/// every token. The head's columns begin at `first`.
#[inline(always)]
fn read_keys<const SIDE: usize>(
    inputs: &Wkv6Inputs<'_, [f32]>,
    (row, first): (usize, usize),
    bonus: &[f32],
    keys: &mut [f32],
    own: &mut [f32],
) {
    own.fill(0.0);
    for (tile, keys) in keys.chunks_exact_mut(3 * own.len() * SIDE).enumerate() {
        let at = tile * SIDE;
        let width = SIDE.min(bonus.len() - at);
        let u = filled::<SIDE>(&bonus[at..][..width]);
        let tokens =
            keys.as_chunks_mut::<SIDE>().0.as_chunks_mut::<3>().0.iter_mut().zip(&mut *own);
        for (token, ([r, k, w], own)) in tokens.enumerate() {
            let of = |from| filled::<SIDE>(columns(from, row + token, first + at, width));
            (*r, *k, *w) = (of(&inputs.receptance), of(&inputs.key), of(&inputs.decay));
            w.iter_mut().for_each(|w| *w = exp(-exp(*w)));
            let mut products = [0.0; SIDE];
            for (i, product) in products.iter_mut().enumerate() {
                *product = r[i] * u[i] * k[i];
            }
            *own += pairwise(products);
        }
    }
}

/// A tile over all tokens: `keys` \[tokens, 3, `SIDE`\], `values` and `sums` \[tokens, `SIDE`\].
#[inline(always)]
fn advance<S: Simd, const SIDE: usize>(
    simd: S,
    tile: &mut [S::f32s; SIDE],
    keys: &[f32],
    values: &[f32],
    sums: &mut [f32],
) {
    let mut state = *tile;
    let keys = keys.as_chunks::<SIDE>().0.as_chunks::<3>().0;
    let vectors = S::as_simd_f32s(values).0.iter().zip(S::as_mut_simd_f32s(sums).0);
    for ([r, k, w], (&value, sum)) in keys.iter().zip(vectors) {
        let mut parts = [simd.splat_f32s(0.0); 2];
        // In two loops: a body too long to be written out would keep the tile in memory.
        for half in 0..SIDE.div_ceil(8) {
            for row in 0..SIDE.min(8) {
                let n = 8 * half + row;
                let (r, k) = (simd.splat_f32s(r[n]), simd.splat_f32s(k[n]));
                let kept = simd.mul_f32s(simd.splat_f32s(w[n]), state[n]);
                parts[row % 2] = simd.mul_add_e_f32s(r, state[n], parts[row % 2]);
                state[n] = simd.mul_add_e_f32s(k, value, kept);
            }
        }
        *sum = simd.add_f32s(*sum, simd.add_f32s(parts[0], parts[1]));
    }
    *tile = state;
}
