//! What runs a model: slots that hold a sequence's state, and one call that continues them.

mod call;
pub mod choice;
pub mod computing;
pub mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod memory;
pub mod native;
pub mod packed;
mod worker;

use crate::error::Result;

/// Tokens with which one slot continues.
#[derive(Clone, Copy, Debug)]
pub struct Continuation<'a> {
    /// The slot, below [`Engine::slots`]; at most once a call.
    pub slot: usize,
    /// At least one token.
    pub tokens: &'a [u32],
}

/// A loaded model with a fixed number of sequence slots.
pub trait Engine {
    /// Rows of the logits: token ids are below it.
    fn vocabulary(&self) -> usize;

    /// Sequences that can be held at the same time.
    fn slots(&self) -> usize;

    /// Tokens of one call, shared out evenly among the slots that go on (each gets one at least):
    /// bounds memory and the time until an interruption is noticed. No bound where a slot's first
    /// call must hold its whole prompt
    /// ([`reads_prompts_whole`](longseq_core::hybrid::config::ModelConfig::reads_prompts_whole)).
    fn tokens_per_call(&self) -> usize;

    /// Empties a slot.
    fn reset(&mut self, slot: usize);

    /// Makes `to` an exact copy of `from`: both continue independently.
    fn fork(&mut self, from: usize, to: usize);

    /// Continues every named slot (prefill and decode alike) and writes, in the same order, the
    /// greedy next token after each slot's last token (the lowest id wins a tie) to `next`, which
    /// is as long as the batch. A slot's result does not depend on the other slots of the call, nor
    /// on where its sequence is cut into calls, on the grid of
    /// [`Computing`](computing::Computing::grid).
    fn forward(&mut self, batch: &[Continuation<'_>], next: &mut [u32]) -> Result<()>;
}
