//! One sequence through the forward pass, piece by piece.

use longseq_core::{
    batch::Batch,
    hybrid::{config::ModelConfig, forward},
    numeric::Real,
    reference::{Observe, Reference, work_elements},
    scratch::{Scratch, scratch},
    state::{State, StateLayout},
};

use super::Continuation;
use crate::{
    checkpoint::Weights,
    error::{Error, Result},
};

/// Tokens of one forward pass: a prompt is read in pieces of this many, so that memory does not
/// grow with its length.
const PIECE: usize = 128;

/// Tokens of one forward pass of this model: where a reproduced fault asks for it, the whole
/// prompt's.
fn piece(config: &ModelConfig, capacity: usize) -> usize {
    if config.reads_prompts_whole() { capacity.max(1) } else { PIECE }
}

/// The state of one slot.
pub struct SlotMut<'s, R> {
    /// Its recurrent state.
    pub recurrent: &'s mut [R],
    /// Its keys and values.
    pub cache: &'s mut [R],
    /// How many tokens it holds.
    pub position: &'s mut [usize],
}

/// Buffers for one sequence at a time, of whichever slot.
#[derive(Debug)]
pub struct Worker<R> {
    work: Vec<R>,
    arena: Vec<R>,
    logits: Vec<R>,
    /// Tokens of one forward pass, at most.
    piece: usize,
}

/// The rows of a piece whose logits are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// That of the last token.
    Last,
    /// All.
    Every,
}

impl<R: Real> Worker<R> {
    /// Elements that a worker takes, for sequences of at most `capacity` tokens.
    pub fn elements(config: &ModelConfig, capacity: usize, rows: Rows) -> usize {
        let [work, arena, logits] = sizes(config, capacity, rows);
        work.saturating_add(arena).saturating_add(logits)
    }

    /// Buffers for sequences of at most `capacity` tokens.
    pub fn new(config: &ModelConfig, capacity: usize, rows: Rows) -> Result<Self> {
        let [work, arena, logits] = sizes(config, capacity, rows);
        let what = "the buffers of a forward pass";
        Ok(Self {
            work: zeros(what, work)?,
            arena: zeros(what, arena)?,
            logits: zeros(what, logits)?,
            piece: piece(config, capacity),
        })
    }

    /// Continues a slot by `tokens`, looked at by `observer`; hands the logits of the rows asked for to `see`, piece by
    /// piece.
    pub fn read(
        &mut self,
        weights: &Weights<'_>,
        layout: StateLayout<'_>,
        slot: SlotMut<'_, R>,
        (tokens, rows): (&[u32], Rows),
        mut observer: Option<&mut dyn Observe<R>>,
        mut see: impl FnMut(&[R]) -> Result<()>,
    ) -> Result<()> {
        let SlotMut { recurrent, cache, position } = slot;
        let mut state = State::new(layout, recurrent, cache, position).map_err(internal)?;
        let pieces = tokens.len().div_ceil(self.piece);
        for (number, piece) in tokens.chunks(self.piece).enumerate() {
            let wanted: Vec<usize> = match rows {
                Rows::Every => (0..piece.len()).collect(),
                Rows::Last if number + 1 == pieces => vec![piece.len() - 1],
                Rows::Last => Vec::new(),
            };
            let ends = [0, piece.len()];
            let batch = Batch::new(piece, &ends, &[0], &wanted).map_err(internal)?;
            let elements = scratch(weights.config, piece.len());
            let mut scratch = Scratch::carve(&elements, &mut self.arena).map_err(internal)?;
            let mut backend = Reference::new(&mut self.work)
                .observed(observer.as_deref_mut().map(|of| of as &mut dyn Observe<R>));
            let model = weights.model();
            let logits = &mut self.logits[..];
            forward(&mut backend, &model, &batch, &mut state, &mut scratch, logits)
                .map_err(|source| Error::new(format!("the forward pass failed: {source}")))?;
            if !wanted.is_empty() {
                see(&self.logits[..wanted.len() * weights.config.vocabulary])?;
            }
        }
        Ok(())
    }
}

/// Elements of work space, arena and logits.
fn sizes(config: &ModelConfig, capacity: usize, rows: Rows) -> [usize; 3] {
    let piece = piece(config, capacity);
    let rows = match rows {
        Rows::Last => 1,
        Rows::Every => piece.min(capacity),
    };
    let arena = scratch(config, piece).total();
    [work_elements(config, capacity), arena, rows.saturating_mul(config.vocabulary)]
}

/// Refuses a token beyond the vocabulary.
pub fn check_tokens<'t>(vocabulary: usize, tokens: impl Iterator<Item = &'t u32>) -> Result<()> {
    match tokens.enumerate().find(|(_, token)| **token as usize >= vocabulary) {
        None => Ok(()),
        Some((at, token)) => Err(Error::new(format!(
            "token {token} (number {at}, from 0) is beyond the model's vocabulary of {vocabulary}"
        ))
        .help("use the tokenizer that the model was trained with")),
    }
}

/// The greedy token: the lowest id among the largest logits.
pub fn greedy<R: Real>(logits: &[R]) -> Result<u32> {
    if logits.iter().any(|logit| logit.is_nan()) {
        return Err(Error::new("the model's output is not a number")
            .help("the weights are damaged, or --precision f64 is needed"));
    }
    let best =
        (1..logits.len()).fold(0, |best, id| if logits[id] > logits[best] { id } else { best });
    u32::try_from(best).map_err(internal)
}

/// Zeros, or an error that says how much memory was asked for.
pub fn zeros<R: Real>(what: &str, elements: usize) -> Result<Vec<R>> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(elements)
        .map_err(|_| no_room(what, elements.saturating_mul(size_of::<R>())))?;
    buffer.resize(elements, R::ZERO);
    Ok(buffer)
}

/// So many bytes cannot be had.
pub fn no_room(what: &str, bytes: usize) -> Error {
    let gib = bytes as f64 / (1 << 30) as f64;
    Error::new(format!("cannot get {gib:.1} GiB of memory for {what}"))
        .help("take a smaller --batch, shorter lengths or a smaller model")
}

/// Checks that there is a place for every token.
pub fn check_places(batch: &[Continuation<'_>], next: &[u32]) -> Result<()> {
    let (slots, places) = (batch.len(), next.len());
    if slots == places {
        return Ok(());
    }
    Err(internal(format!("{places} places for the tokens of {slots} slots")))
}

/// What this program's own bookkeeping should have made impossible.
pub fn internal(source: impl std::fmt::Display) -> Error {
    Error::new(source.to_string()).help("this should not happen; please report it")
}
