use super::{Reference, Result, check_slots};
use crate::backend::TokenShift;
use crate::batch::Sequences;
use crate::error::{ShapeError, enough, same};
use crate::numeric::{Real, tensor::Tensor};
use crate::recurrence::token_shift::{DdLerp, DdLerpDims, STREAMS, ddlerp, lerp};
use crate::state::StateMut;

impl<'a, R: Real> TokenShift for Reference<'a, R> {
    fn token_shift(
        &mut self,
        channels: usize,
        sequences: &Sequences<'_>,
        x: &[R],
        proportions: &[Tensor<'a>],
        state: StateMut<'_, [R]>,
        out: &mut [R],
    ) -> Result {
        let streams = proportions.len();
        same("token_shift", "state", channels, state.region.elements)?;
        for mu in proportions {
            same("token_shift", "proportions", channels, mu.elements())?;
        }
        check_shift(channels, streams, sequences, x, &state, out)?;
        let work = self.work(channels)?;
        for (stream, mu) in proportions.iter().enumerate() {
            mu.decode(0, work)?;
            each_token(channels, sequences, x, &state, |row, x, before| {
                lerp(x, before, work, &mut out[(row * streams + stream) * channels..][..channels]);
                Ok(())
            })?;
        }
        carry(channels, sequences, x, state);
        Ok(())
    }

    fn ddlerp(
        &mut self,
        dims: &DdLerpDims,
        sequences: &Sequences<'_>,
        x: &[R],
        weights: &DdLerp<Tensor<'a>>,
        state: StateMut<'_, [R]>,
        out: &mut [R],
    ) -> Result {
        let channels = dims.channels;
        dims.check::<R, _>(weights, state.region.elements)?;
        check_shift(channels, STREAMS, sequences, x, &state, out)?;
        let work = self.work(dims.work_elements())?;
        let width = STREAMS * channels;
        each_token(channels, sequences, x, &state, |row, x, before| {
            ddlerp(dims, weights, (x, before), work, &mut out[row * width..][..width])
        })?;
        carry(channels, sequences, x, state);
        Ok(())
    }
}

fn check_shift<R>(
    channels: usize,
    streams: usize,
    sequences: &Sequences<'_>,
    x: &[R],
    state: &StateMut<'_, [R]>,
    out: &[R],
) -> Result<(), ShapeError> {
    let elements = sequences.rows().saturating_mul(channels);
    enough("token_shift", "x", elements, x.len())?;
    enough("token_shift", "out", elements.saturating_mul(streams), out.len())?;
    check_slots("token_shift", sequences, state)
}

/// Hands every row, its number and the row before it, which for a sequence's first is its state.
fn each_token<R>(
    channels: usize,
    sequences: &Sequences<'_>,
    x: &[R],
    state: &StateMut<'_, [R]>,
    mut see: impl FnMut(usize, &[R], &[R]) -> Result<(), ShapeError>,
) -> Result<(), ShapeError> {
    for sequence in sequences.iter() {
        let mut before = &state.buffer[state.region.slot(sequence.slot)];
        for row in sequence.rows {
            let token = &x[row * channels..][..channels];
            see(row, token, before)?;
            before = token;
        }
    }
    Ok(())
}

/// Leaves the last row of every sequence in its state.
fn carry<R: Copy>(channels: usize, sequences: &Sequences<'_>, x: &[R], state: StateMut<'_, [R]>) {
    for sequence in sequences.iter() {
        let slot = &mut state.buffer[state.region.slot(sequence.slot)];
        let last = sequence.rows.end.saturating_sub(1);
        slot.copy_from_slice(&x[last * channels..][..channels]);
    }
}
