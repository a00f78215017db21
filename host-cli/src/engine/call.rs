//! Continuations, put together to forward passes that take so many tokens at most.

use super::{
    Continuation,
    worker::{check_places, internal},
};
use crate::error::Result;

/// One forward pass, as it is put together.
#[derive(Debug, Default)]
pub struct Call {
    /// Tokens of all slots, side by side.
    pub tokens: Vec<u32>,
    /// 0, and where each slot's tokens end.
    pub ends: Vec<usize>,
    /// The slots.
    pub slots: Vec<usize>,
    /// Rows whose logits are wanted.
    pub rows: Vec<usize>,
    /// For each of these, its place in the batch.
    pub places: Vec<usize>,
}

impl Call {
    /// Begins another one.
    pub fn clear(&mut self) {
        self.tokens.clear();
        self.ends.clear();
        self.ends.push(0);
        self.slots.clear();
        self.rows.clear();
        self.places.clear();
    }

    /// Continues a slot.
    pub fn push(&mut self, slot: usize, tokens: &[u32]) {
        self.slots.push(slot);
        self.tokens.extend_from_slice(tokens);
        self.ends.push(self.tokens.len());
    }

    /// Asks for the logits of the last row, for that place of the batch.
    fn want(&mut self, place: usize) {
        self.rows.push(self.tokens.len() - 1);
        self.places.push(place);
    }
}

/// What makes forward passes.
pub trait Passes {
    /// Tokens of one pass, at most.
    fn most(&self) -> usize;

    /// Whether a prompt must be read in one pass.
    fn whole(&self) -> bool;

    /// A slot's sequence is cut at multiples of this many tokens.
    fn grid(&self) -> usize;

    /// Tokens that a slot holds; 0 where there is no such slot.
    fn position(&self, slot: usize) -> usize;

    /// The pass that is put together.
    fn call(&mut self) -> &mut Call;

    /// Makes it, unless it is empty, and puts the greedy token of every row wanted into its place.
    fn pass(&mut self, next: &mut [u32]) -> Result<()>;

    /// Makes it, and begins another one.
    fn next_pass(&mut self, next: &mut [u32]) -> Result<()> {
        let passed = self.pass(next);
        self.call().clear();
        passed
    }
}

/// Continues every slot of a batch: [`Engine::forward`](super::Engine::forward).
pub fn forward(
    engine: &mut impl Passes,
    batch: &[Continuation<'_>],
    next: &mut [u32],
) -> Result<()> {
    check_places(batch, next)?;
    let (most, whole) = (engine.most(), engine.whole());
    engine.call().clear();
    for (place, &Continuation { slot, tokens }) in batch.iter().enumerate() {
        if tokens.is_empty() {
            return Err(internal("a slot continued by no token"));
        }
        if whole && engine.call().tokens.len() + tokens.len() > most {
            engine.next_pass(next)?;
        }
        let mut rest = tokens;
        while !rest.is_empty() {
            let room = if whole { rest.len() } else { most - engine.call().tokens.len() };
            let piece = piece(engine.position(slot), rest.len(), room, engine.grid());
            if piece == 0 {
                engine.next_pass(next)?;
                continue;
            }
            let (piece, later) = rest.split_at(piece);
            engine.call().push(slot, piece);
            rest = later;
            if rest.is_empty() {
                engine.call().want(place);
            }
            if !rest.is_empty() || engine.call().tokens.len() >= most {
                engine.next_pass(next)?;
            }
        }
    }
    engine.next_pass(next)
}

/// Tokens of the `rest` that a slot goes on with where there is room for so many: all, or up to a place where it may be
/// cut.
fn piece(position: usize, rest: usize, room: usize, grid: usize) -> usize {
    if rest <= room { rest } else { ((position + room) / grid * grid).saturating_sub(position) }
}
