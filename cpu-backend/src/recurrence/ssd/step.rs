//! Token by token in f32, a tile of the state in registers over a block of tokens.
//!
//! In the tile, channels of x lie in a vector's lanes and channels of B and C are its rows: for a row and a token
//! one product and two fused multiply-adds, S = B (Δ x) + (e^(Δ A) S) and y += C S. The rows of a tile are summed in two
//! sums, even and odd, and the tiles one after the other; at last D x is added.

use longseq_core::recurrence::ssd::SsdDims;
use pulp::Simd;

use super::{
    super::heads::{self, Part, Reads, Row, Tiled},
    Inputs,
};
use crate::{
    floats::Floats,
    lanes::{filled, put},
    numeric::math::exp,
};

/// Elements that a thread works in over this many tokens, with tiles of so many vectors.
pub const fn work(dims: &SsdDims, tokens: usize, side: usize) -> usize {
    let bc = dims.state.next_multiple_of(side).saturating_mul(2);
    let inputs = dims.head_dim.next_multiple_of(side).saturating_mul(2);
    bc.saturating_add(inputs).saturating_add(2).saturating_mul(tokens)
}

/// Some heads over the tokens of a block: their `state` \[heads, N, P\] and `y`
/// \[heads, tokens, P\].
pub struct Heads<'a> {
    pub inputs: &'a Inputs<'a>,
    pub part: Part,
    pub state: &'a mut [f32],
    pub y: &'a mut [f32],
    pub own: &'a mut Floats,
}

impl Tiled for Heads<'_> {
    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { inputs: from, part, state, y, own } = self;
        let Part { row, tokens, head } = part;
        let SsdDims { head_dim, state: n, .. } = *from.dims;
        let columns = head_dim.next_multiple_of(SIDE);
        let tiles = n.div_ceil(SIDE);
        let own = own.room(work(from.dims, tokens, SIDE));
        let (bc, own) = own.split_at_mut(2 * tiles * tokens * SIDE);
        let (inputs, own) = own.split_at_mut(tokens * columns);
        let (sums, own) = own.split_at_mut(tokens * columns);
        let (steps, decays) = own.split_at_mut(tokens);
        let mut group = None;
        let states = state.chunks_exact_mut(head_dim * n);
        for (head, (state, y)) in (head..).zip(states.zip(y.chunks_exact_mut(tokens * head_dim))) {
            let own_group = from.group(head);
            if group.replace(own_group) != Some(own_group) {
                read_bc::<SIDE>(from, row, own_group, bc);
            }
            let a = from.read_steps((row, head), steps);
            steps.iter().zip(&mut *decays).for_each(|(step, decay)| *decay = exp(step * a));
            read_inputs::<SIDE>(from, (row, head), steps, inputs);
            sums.fill(0.0);
            let tiles = bc.chunks_exact(2 * tokens * SIDE);
            for (bc, state) in tiles.zip(state.chunks_mut(SIDE * head_dim)) {
                if tokens == 1 && heads::has_whole_rows::<SIDE>(head_dim) {
                    let bc = bc[..SIDE].iter().zip(&bc[SIDE..]);
                    let rows = bc.map(|(&write, &read)| Row { write, keep: decays[0], read });
                    heads::advance_rows(simd, state, rows, Reads::After, inputs, sums);
                    continue;
                }
                let both = inputs.chunks_exact(tokens * SIDE);
                let both = both.zip(sums.chunks_exact_mut(tokens * SIDE));
                for (column, (inputs, sums)) in both.enumerate() {
                    let p = column * SIDE;
                    let width = SIDE.min(head_dim - p);
                    let mut block = [[0.0; SIDE]; SIDE];
                    for (block, state) in block.iter_mut().zip(state.chunks_exact(head_dim)) {
                        *block = filled(&state[p..][..width]);
                    }
                    let mut tile = block.each_ref().map(|row| S::as_simd_f32s(row).0[0]);
                    advance::<S, SIDE>(simd, &mut tile, bc, (inputs, decays), sums);
                    for (state, tile) in state.chunks_exact_mut(head_dim).zip(tile) {
                        let mut row = [0.0; SIDE];
                        S::as_mut_simd_f32s(&mut row).0[0] = tile;
                        put(&mut state[p..][..width], &row);
                    }
                }
            }
            write::<SIDE>(from, (row, head), sums, y);
        }
    }
}

/// B and C of a group, \[tiles, tokens, 2, `SIDE`\], filled up with zeros.
#[inline(always)]
fn read_bc<const SIDE: usize>(from: &Inputs<'_>, row: usize, group: usize, out: &mut [f32]) {
    let n = from.dims.state;
    let tokens = out.len() / (2 * n.div_ceil(SIDE) * SIDE);
    for (tile, out) in out.chunks_exact_mut(2 * tokens * SIDE).enumerate() {
        let columns = tile * SIDE..n.min((tile + 1) * SIDE);
        for (token, out) in out.chunks_exact_mut(2 * SIDE).enumerate() {
            for (out, of) in out.chunks_exact_mut(SIDE).zip(from.bc(row + token, group)) {
                put(out, &filled::<SIDE>(&of[columns.clone()]));
            }
        }
    }
}

/// Δ x of a head, \[columns of tiles, tokens, `SIDE`\], filled up with zeros.
#[inline(always)]
fn read_inputs<const SIDE: usize>(
    from: &Inputs<'_>,
    (row, head): (usize, usize),
    steps: &[f32],
    out: &mut [f32],
) {
    for (column, out) in out.chunks_exact_mut(steps.len() * SIDE).enumerate() {
        let p = column * SIDE;
        let width = SIDE.min(from.dims.head_dim - p);
        for (token, (out, step)) in out.chunks_exact_mut(SIDE).zip(steps).enumerate() {
            put(out, &filled::<SIDE>(from.x(row + token, head, p, width)).map(|x| step * x));
        }
    }
}

/// y = sums \[columns of tiles, tokens, `SIDE`\] + D x.
#[inline(always)]
fn write<const SIDE: usize>(
    from: &Inputs<'_>,
    (row, head): (usize, usize),
    sums: &[f32],
    y: &mut [f32],
) {
    let (head_dim, d) = (from.dims.head_dim, from.d[head]);
    let tokens = y.len() / head_dim;
    for (column, sums) in sums.chunks_exact(tokens * SIDE).enumerate() {
        let p = column * SIDE;
        let width = SIDE.min(head_dim - p);
        let rows = y.chunks_exact_mut(head_dim).zip(sums.as_chunks::<SIDE>().0);
        for (token, (y, sums)) in rows.enumerate() {
            let mut found = filled::<SIDE>(from.x(row + token, head, p, width));
            found.iter_mut().zip(sums).for_each(|(x, sum)| *x = sum + d * *x);
            put(&mut y[p..][..width], &found);
        }
    }
}

/// A tile over all tokens: `bc` \[tokens, 2, `SIDE`\], `inputs` and `sums` \[tokens, `SIDE`\].
#[inline(always)]
fn advance<S: Simd, const SIDE: usize>(
    simd: S,
    tile: &mut [S::f32s; SIDE],
    bc: &[f32],
    (inputs, decays): (&[f32], &[f32]),
    sums: &mut [f32],
) {
    let mut state = *tile;
    let bc = bc.as_chunks::<SIDE>().0.as_chunks::<2>().0;
    let vectors = S::as_simd_f32s(inputs).0.iter().zip(S::as_mut_simd_f32s(sums).0);
    for (([b, c], &decay), (&input, sum)) in bc.iter().zip(decays).zip(vectors) {
        let decay = simd.splat_f32s(decay);
        let mut parts = [simd.splat_f32s(0.0); 2];
        // In two loops: a body too long to be written out would keep the tile in memory.
        for half in 0..SIDE.div_ceil(8) {
            for row in 0..SIDE.min(8) {
                let n = 8 * half + row;
                let (b, c) = (simd.splat_f32s(b[n]), simd.splat_f32s(c[n]));
                state[n] = simd.mul_add_e_f32s(b, input, simd.mul_f32s(decay, state[n]));
                parts[row % 2] = simd.mul_add_e_f32s(c, state[n], parts[row % 2]);
            }
        }
        *sum = simd.add_f32s(*sum, simd.add_f32s(parts[0], parts[1]));
    }
    *tile = state;
}
