//! Operations that carry a state of fixed size.

mod causal_conv1d;
mod heads;
mod rg_lru;
mod room;
mod ssd;
mod token_shift;
mod wkv6;

use core::array;

use longseq_core::{
    batch::{Sequence, Sequences},
    error::{ShapeError, enough},
    state::StateMut,
};
use rayon::prelude::*;

pub use self::{heads::BLOCK, room::Room, ssd::Chunks};

/// Sequences that are handed out to threads together, at most.
const TOGETHER: usize = 16;

/// Hands every sequence with its state and its rows of each of `outs` \[T, `width`\] to `see`, on several threads if
/// that is worth it.
///
/// # Errors
/// State or rows that are not there; states that overlap.
fn each_sequence<const N: usize>(
    operation: &'static str,
    sequences: &Sequences<'_>,
    state: StateMut<'_, [f32]>,
    (width, outs): (usize, [&mut [f32]; N]),
    parallel: bool,
    see: impl Fn(Sequence, &mut [f32], [&mut [f32]; N]) + Sync,
) -> Result<(), ShapeError> {
    let StateMut { buffer, region } = state;
    for out in &outs {
        enough(operation, "out", sequences.rows().saturating_mul(width), out.len())?;
    }
    for sequence in sequences.iter() {
        enough(operation, "state", region.slot(sequence.slot).end, buffer.len())?;
    }
    let (mut sequences, mut rest) = (sequences.iter().peekable(), outs);
    while sequences.peek().is_some() {
        let group: [_; TOGETHER] = array::from_fn(|_| sequences.next());
        let ranges = group
            .each_ref()
            .map(|sequence| sequence.as_ref().map_or(0..0, |sequence| region.slot(sequence.slot)));
        let Ok(states) = buffer.get_disjoint_mut(ranges) else {
            let (expected, found) = (region.elements, region.stride);
            return Err(ShapeError { operation, operand: "state stride", expected, found });
        };
        let mut pieces = group.into_iter().zip(states).map(|(sequence, state)| {
            let sequence = sequence?;
            let own = rest.each_mut().map(|rest| {
                let (own, others) = core::mem::take(rest).split_at_mut(sequence.rows.len() * width);
                *rest = others;
                own
            });
            Some((sequence, state, own))
        });
        let pieces: [_; TOGETHER] = array::from_fn(|_| pieces.next().flatten());
        let several = pieces.get(1).is_some_and(Option::is_some);
        let see = |(sequence, state, own): (_, &mut [f32], _)| see(sequence, state, own);
        if parallel && several {
            pieces.into_par_iter().flatten().for_each(see);
        } else {
            pieces.into_iter().flatten().for_each(see);
        }
    }
    Ok(())
}
