//! Token shift, by itself and with proportions that depend on the data.

use longseq_core::{
    backend::TokenShift,
    batch::Sequences,
    error::{enough, same},
    numeric::tensor::Dtype,
    recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS},
    state::StateMut,
};

use super::{Carried, f32_of};
use crate::{
    Cuda, Result, Version,
    buffer::Buffer,
    kernels::{DDLERP, DDLERP_INPUT, LOW_RANK_TANH, TOKEN_SHIFT, Versions},
    launch::{Grid, i32_of, i64_of},
    numeric::linear::Factor,
    runtime::{Address, Argument, Runtime},
    staging::Work,
    weight::Weight,
};

impl<R: Runtime> TokenShift for Cuda<R> {
    fn token_shift(
        &mut self,
        channels: usize,
        sequences: &Sequences<'_>,
        x: &Buffer<R::Memory>,
        proportions: &[Weight<R::Memory>],
        state: StateMut<'_, Buffer<R::Memory>>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let (operation, streams) = ("token_shift", proportions.len());
        same(operation, "state", channels, state.region.elements)?;
        let mut mus = Vec::with_capacity(streams);
        for mu in proportions {
            let (mu, elements) = mu.values(operation)?;
            same(operation, "proportions", channels, elements)?;
            mus.push(mu);
        }
        let elements = sequences.rows().saturating_mul(channels);
        let x = f32_of((operation, "x"), x, elements)?;
        let out = f32_of((operation, "out"), out, elements.saturating_mul(streams))?;
        let shift = Shift { x, channels, carried: self.carried(operation, sequences, &state)? };
        // Two streams a launch; the last launch carries, even where there is no stream.
        for first in (0..streams.max(1)).step_by(2) {
            let mu = |stream: usize| Argument::Address(mus.get(stream).copied().unwrap_or(0));
            let last = first + 2 >= streams;
            let more = [
                mu(first),
                mu(first + 1),
                Argument::Address(out + 4 * (first * channels) as Address),
                i32_of((operation, "streams"), streams)?,
                Argument::I32(last.into()),
            ];
            // SAFETY: x has a row for every token and out one for every stream of it; each of the proportions is one.
            unsafe { self.shift(&TOKEN_SHIFT, &shift, &more, last) }?;
        }
        Ok(())
    }

    fn ddlerp(
        &mut self,
        dims: &DdLerpDims,
        sequences: &Sequences<'_>,
        x: &Buffer<R::Memory>,
        weights: &DdLerp<Weight<R::Memory>>,
        state: StateMut<'_, Buffer<R::Memory>>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let (operation, rows) = ("ddlerp", sequences.rows());
        let DdLerpDims { channels, rank } = *dims;
        check::<R>(dims, weights)?;
        same(operation, "state", channels, state.region.elements)?;
        let elements = rows.saturating_mul(channels);
        let x = f32_of((operation, "x"), x, elements)?;
        let out = f32_of((operation, "out"), out, elements.saturating_mul(STREAMS))?;
        let (down, up) = (weights.down.matrix(operation)?, weights.up.matrices(operation)?);
        let shift = Shift { x, channels, carried: self.carried(operation, sequences, &state)? };
        let dtype = down.elements.dtype();
        let input = self.work(Work::Factor, elements, dtype)?;
        let more = [
            Argument::Address(weights.mixed.values(operation)?.0),
            Argument::Address(input),
            Argument::I32((dtype == Dtype::Bf16).into()),
        ];
        let width = STREAMS * rank;
        let middles = rows.saturating_mul(width);
        let middle = self.work(Work::Between, middles, Dtype::F32)?;
        let tanh = [Argument::Address(middle), i64_of(middles)];
        let (plain, fast) = (Grid::threads(middles), Grid::threads(middles.div_ceil(4)));
        let mut mus = [Argument::Address(out); STREAMS + 1];
        for (to, mu) in mus.iter_mut().zip(&weights.streams) {
            *to = Argument::Address(mu.values(operation)?.0);
        }
        // SAFETY: x has a row for every token and out five, as checked. The left side of W₁ has a row of x's width for
        // every token, in W₁'s dtype, the middle one of five ranks, which W₁ makes and the five W₂ take.
        unsafe {
            self.shift(&DDLERP_INPUT, &shift, &more, false)?;
            self.multiply((input, channels), down, (middle, width), (rows, false))?;
            self.launch_version(&LOW_RANK_TANH, plain, fast, &tanh)?;
            self.product(Factor::f32(middle, width), up, (out, STREAMS * channels), (rows, false))?;
            self.shift(&DDLERP, &shift, &mus, true)
        }
    }
}

/// What a shift reads.
struct Shift {
    x: Address,
    channels: usize,
    carried: Carried,
}

impl<R: Runtime> Cuda<R> {
    /// Launches a kernel of token_shift.cu with what it takes beside x and the states; then, where it `carries`, leaves
    /// the last rows of long sequences in their states.
    ///
    /// # Safety
    /// x has a row for every token, every state is one, and the kernel takes `more`.
    unsafe fn shift(
        &mut self,
        kernels: &Versions,
        shift: &Shift,
        more: &[Argument],
        carries: bool,
    ) -> Result<(), R::Error> {
        let &Shift { x, channels, ref carried } = shift;
        let mut arguments = vec![Argument::Address(x)];
        arguments.extend(carried.arguments());
        arguments.push(i32_of(("token_shift", "sequences"), carried.lists.count)?);
        arguments.push(i32_of(("token_shift", "channels"), channels)?);
        arguments.extend(more);
        let (plain, fast) = (carried.threads("token_shift", channels)?, carried.runs(channels));
        // SAFETY: the caller's.
        unsafe {
            self.launch_version(kernels, plain, fast, &arguments)?;
            if carries && self.version == Version::Fast {
                self.carry_inputs((x, channels), 0, carried, (channels, 1))?;
            }
        }
        Ok(())
    }
}

fn check<R: Runtime>(
    dims: &DdLerpDims,
    weights: &DdLerp<Weight<R::Memory>>,
) -> Result<(), R::Error> {
    let (operation, DdLerpDims { channels, rank }) = ("ddlerp", *dims);
    enough(operation, "extents", 1, channels.min(rank))?;
    same(operation, "mixed", channels, weights.mixed.values(operation)?.1)?;
    for stream in &weights.streams {
        same(operation, "streams", channels, stream.values(operation)?.1)?;
    }
    let (down, up) = (weights.down.matrix(operation)?, weights.up.matrices(operation)?);
    for (operand, expected, found) in [
        ("rows of W1", channels, down.inputs),
        ("columns of W1", rank.saturating_mul(STREAMS), down.outputs),
        ("W2", STREAMS, up.count),
        ("rows of W2", rank, up.inputs),
        ("columns of W2", channels, up.outputs),
    ] {
        same(operation, operand, expected, found)?;
    }
    Ok(())
}
