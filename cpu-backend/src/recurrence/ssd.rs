//! The recurrence of Mamba-2, a tile of the state in registers over a block of tokens.
//!
//! In the tile, channels of x lie in a vector's lanes and channels of B and C are its rows: for a row and a token
//! one product and two fused multiply-adds, S = B (Δ x) + (e^(Δ A) S) and y += C S. The rows of a tile are summed in two
//! sums, even and odd, and the tiles one after the other; at last D x is added.

use longseq_core::{
    backend::{Columns, SsdScan},
    batch::Sequences,
    error::{enough, same},
    recurrence::ssd::{SsdDims, SsdHeads},
    state::StateMut,
};
use pulp::Simd;

use super::{
    filled,
    heads::{self, Part, Square, Tiled, aligned},
    put,
};
use crate::{
    Cpu, Result,
    numeric::math::{exp, softplus},
    weight::Weight,
};

impl<'a> SsdScan for Cpu<'a> {
    fn ssd_scan(
        &mut self,
        dims: &SsdDims,
        sequences: &Sequences<'_>,
        (xbc, dt): (&[f32], Columns<&[f32]>),
        weights: &SsdHeads<Weight<'a>>,
        state: StateMut<'_, [f32]>,
        y: &mut [f32],
    ) -> Result {
        let (operation, isa) = ("ssd_scan", self.isa);
        let rows = sequences.rows();
        let bias = weights.dt_bias.values(operation)?;
        let (a_log, d) = (weights.a_log.values(operation)?, weights.d.values(operation)?);
        dims.check(a_log.len(), d.len(), state.region.elements)?;
        same(operation, "dt_bias", dims.heads, bias.len())?;
        enough(operation, "xBC", rows.saturating_mul(dims.xbc_width()), xbc.len())?;
        dt.check((operation, "dt"), (rows, dims.heads), dt.buffer.len())?;
        let inputs = Inputs { dims, xbc, dt, bias, a_log, d };
        let extents = (dims.heads, dims.head_dim);
        heads::each(operation, sequences, state, (extents, y), |part, row, state, y, own| {
            isa.simd(Square(Heads { inputs: &inputs, part, row, state, y, own }));
        })?;
        Ok(())
    }
}

/// What a scan reads.
struct Inputs<'a> {
    dims: &'a SsdDims,
    xbc: &'a [f32],
    dt: Columns<&'a [f32]>,
    bias: &'a [f32],
    a_log: &'a [f32],
    d: &'a [f32],
}

/// Some heads over the tokens of a block, from row `row` on: their `state` \[heads, P, N\] and `y`
/// \[heads, tokens, P\].
struct Heads<'a> {
    inputs: &'a Inputs<'a>,
    part: Part,
    row: usize,
    state: &'a mut [f32],
    y: &'a mut [f32],
    own: &'a mut Vec<f32>,
}

impl Tiled for Heads<'_> {
    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { inputs: from, part, row, state, y, own } = self;
        let tokens = part.tokens;
        let SsdDims { head_dim, state: n, heads, groups } = *from.dims;
        let tiles = n.div_ceil(SIDE);
        let own = aligned(own, tokens * (2 * tiles * SIDE + 2 * SIDE + 2));
        let (bc, own) = own.split_at_mut(2 * tiles * tokens * SIDE);
        let (inputs, own) = own.split_at_mut(tokens * SIDE);
        let (sums, own) = own.split_at_mut(tokens * SIDE);
        let (steps, decays) = own.split_at_mut(tokens);
        let mut group = None;
        let states = state.chunks_exact_mut(head_dim * n);
        for (head, (state, y)) in
            (part.head..).zip(states.zip(y.chunks_exact_mut(tokens * head_dim)))
        {
            let own_group = head / (heads / groups);
            if group.replace(own_group) != Some(own_group) {
                from.read_bc::<SIDE>(row, own_group, bc);
            }
            from.read_steps((row, head), steps, decays);
            for p in (0..head_dim).step_by(SIDE) {
                let width = SIDE.min(head_dim - p);
                let x = |token| from.x(row + token, head, p, width);
                for (token, inputs) in inputs.chunks_exact_mut(SIDE).enumerate() {
                    put(inputs, &filled::<SIDE>(x(token)).map(|x| steps[token] * x));
                }
                sums.fill(0.0);
                for (tile, bc) in bc.chunks_exact(2 * tokens * SIDE).enumerate() {
                    let at = (p, width, tile * SIDE, SIDE.min(n - tile * SIDE));
                    let mut s = load::<S, SIDE>(simd, state, n, at);
                    advance::<S, SIDE>(simd, &mut s, bc, (inputs, decays), sums);
                    store(simd, &s, state, n, at);
                }
                let d = from.d[head];
                let rows = y.chunks_exact_mut(head_dim).zip(sums.chunks_exact(SIDE));
                for (token, (y, sums)) in rows.enumerate() {
                    let y = y[p..][..width].iter_mut();
                    y.zip(sums).zip(x(token)).for_each(|((y, sum), x)| *y = sum + d * x);
                }
            }
        }
    }
}

impl Inputs<'_> {
    /// `width` channels of a head's x in a row, from `p` on.
    #[inline(always)]
    fn x(&self, row: usize, head: usize, p: usize, width: usize) -> &[f32] {
        &self.xbc[row * self.dims.xbc_width() + head * self.dims.head_dim + p..][..width]
    }

    /// B and C of a group, \[tiles, tokens, 2, `SIDE`\], filled up with zeros.
    #[inline(always)]
    fn read_bc<const SIDE: usize>(&self, row: usize, group: usize, out: &mut [f32]) {
        let SsdDims { state: n, .. } = *self.dims;
        let tokens = out.len() / (2 * n.div_ceil(SIDE) * SIDE);
        for (tile, out) in out.chunks_exact_mut(2 * tokens * SIDE).enumerate() {
            let width = SIDE.min(n - tile * SIDE);
            for (at, out) in out.chunks_exact_mut(SIDE).enumerate() {
                let (token, of) = (at / 2, at % 2);
                let first = (row + token) * self.dims.xbc_width() + self.dims.inner();
                let first = first + of * self.dims.group_width() + group * n + tile * SIDE;
                put(out, &filled::<SIDE>(&self.xbc[first..][..width]));
            }
        }
    }

    /// Δ and e^(Δ A) of a head.
    #[inline(always)]
    fn read_steps(&self, (row, head): (usize, usize), steps: &mut [f32], decays: &mut [f32]) {
        let a = -exp(self.a_log[head]);
        for (token, step) in steps.iter_mut().enumerate() {
            *step = self.dt.buffer[self.dt.row(row + token, self.dims.heads)][head];
        }
        for (step, decay) in steps.iter_mut().zip(decays) {
            *step = softplus(*step + self.bias[head]);
            *decay = exp(*step * a);
        }
    }
}

/// A tile of a head's state \[P, N\], transposed: channels of N are its rows; zeros where the state ends.
#[inline(always)]
fn load<S: Simd, const SIDE: usize>(
    simd: S,
    state: &[f32],
    n: usize,
    (p, width, row, rows): (usize, usize, usize, usize),
) -> [S::f32s; SIDE] {
    let mut tile = [simd.splat_f32s(0.0); SIDE];
    if SIDE >= 4 && width == SIDE && rows == SIDE {
        let mut block = [[0.0; SIDE]; SIDE];
        for (out, from) in block.iter_mut().zip(state[p * n..].chunks_exact(n)) {
            out.copy_from_slice(&from[row..][..SIDE]);
        }
        for (quad, tile) in tile.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            // Four channels of N of every channel of P, of which a lane of 128 bits takes every fourth.
            let mut parts = [[0.0; SIDE]; 4];
            for lane in 0..SIDE {
                let from = &block[lane][4 * quad..][..4];
                parts[lane % 4][lane / 4 * 4..][..4].copy_from_slice(from);
            }
            let parts = parts.each_ref().map(|part| S::as_simd_f32s(part).0[0]);
            *tile = simd.deinterleave_shfl_f32s(parts);
        }
    } else {
        let mut rest = [[0.0; SIDE]; SIDE];
        for lane in 0..width {
            let from = &state[(p + lane) * n + row..][..rows];
            rest.iter_mut().zip(from).for_each(|(out, &from)| out[lane] = from);
        }
        tile = rest.each_ref().map(|row| S::as_simd_f32s(row).0[0]);
    }
    tile
}

/// Writes back what [`load`] reads.
#[inline(always)]
fn store<S: Simd, const SIDE: usize>(
    simd: S,
    tile: &[S::f32s; SIDE],
    state: &mut [f32],
    n: usize,
    (p, width, row, rows): (usize, usize, usize, usize),
) {
    if SIDE >= 4 && width == SIDE && rows == SIDE {
        let mut block = [[0.0; SIDE]; SIDE];
        for (quad, &tile) in tile.as_chunks::<4>().0.iter().enumerate() {
            let mut parts = [[0.0; SIDE]; 4];
            for (part, from) in parts.iter_mut().zip(simd.interleave_shfl_f32s(tile)) {
                S::as_mut_simd_f32s(part).0[0] = from;
            }
            for lane in 0..SIDE {
                let from = &parts[lane % 4][lane / 4 * 4..][..4];
                block[lane][4 * quad..][..4].copy_from_slice(from);
            }
        }
        for (from, out) in block.iter().zip(state[p * n..].chunks_exact_mut(n)) {
            out[row..][..SIDE].copy_from_slice(from);
        }
    } else {
        let mut rest = [[0.0; SIDE]; SIDE];
        for (rest, &from) in rest.iter_mut().zip(tile) {
            S::as_mut_simd_f32s(rest).0[0] = from;
        }
        for lane in 0..width {
            let out = &mut state[(p + lane) * n + row..][..rows];
            out.iter_mut().zip(&rest).for_each(|(out, from)| *out = from[lane]);
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
