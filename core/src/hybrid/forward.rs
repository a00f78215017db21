//! The forward pass of every family, written once over [`Backend`].
//!
//! x = embedding\[tokens\], in some families scaled or normed; for each layer x += mixer(norm(x)), then, with an
//! MLP, x += mlp(norm(x)); at last logits = norm(x) headᵀ, in some families capped, for the rows asked for. Prefill, prefill in pieces and decoding are the same
//! call: T ≥ 1 tokens of each sequence, continuing its slot's state.

use core::fmt;

use super::mixer::{Pass, norm};
use super::weights::Model;
use crate::backend::{Backend, Columns, Elements, EmbeddingDims};
use crate::batch::Batch;
use crate::error::{ShapeError, enough, same};
use crate::numeric::linear::LinearDims;
use crate::numeric::norm::NormDims;
use crate::scratch::{Scratch, scratch as scratch_elements};
use crate::state::{State, StateError};

/// Why a forward pass failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardError<E> {
    /// A token id is not in the vocabulary.
    Token {
        /// Its row in the batch.
        row: usize,
        /// The id.
        token: u32,
        /// Ids are below this.
        vocabulary: usize,
    },
    /// A slot does not exist or is full.
    State(StateError),
    /// Model, state, scratch or logits are not of one size.
    Shape(ShapeError),
    /// An operation failed; the state of the batch's slots is undefined until they are reset.
    Backend(E),
}

impl<E: fmt::Display> fmt::Display for ForwardError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { row, token, vocabulary } => {
                write!(f, "token {token} in row {row} is not below the vocabulary of {vocabulary}")
            }
            Self::State(error) => error.fmt(f),
            Self::Shape(error) => error.fmt(f),
            Self::Backend(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for ForwardError<E> {}

impl<E> From<StateError> for ForwardError<E> {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl<E> From<ShapeError> for ForwardError<E> {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

/// Continues every sequence of `batch` and writes the logits of the rows it asks for, in their order, to
/// `logits` \[rows asked for, vocabulary\].
///
/// # Errors
/// A batch that does not fit model, state or buffers is refused before anything changes. After
/// [`ForwardError::Backend`] reset the batch's slots.
pub fn forward<B: Backend>(
    backend: &mut B,
    model: &Model<'_, B::Weight>,
    batch: &Batch<'_>,
    state: &mut State<'_, B::Buffer>,
    scratch: &mut Scratch<'_, B::Buffer>,
    logits: &mut B::Buffer,
) -> Result<(), ForwardError<B::Error>> {
    check(model, batch, state, scratch, logits)?;
    run(backend, model, batch, state, scratch, logits).map_err(ForwardError::Backend)?;
    for (&slot, pair) in batch.slots().iter().zip(batch.cu_seqlens().windows(2)) {
        state.advance(slot, pair[1] - pair[0]);
    }
    Ok(())
}

/// Everything that depends on input rather than on this crate.
fn check<B: Elements + ?Sized, W, E>(
    model: &Model<'_, W>,
    batch: &Batch<'_>,
    state: &State<'_, B>,
    scratch: &Scratch<'_, B>,
    logits: &B,
) -> Result<(), ForwardError<E>> {
    let vocabulary = model.config.vocabulary;
    let unknown = |&(_, &token): &(usize, &u32)| token as usize >= vocabulary;
    if let Some((row, &token)) = batch.tokens().iter().enumerate().find(unknown) {
        return Err(ForwardError::Token { row, token, vocabulary });
    }
    for (&slot, pair) in batch.slots().iter().zip(batch.cu_seqlens().windows(2)) {
        state.check_room(slot, pair[1] - pair[0])?;
    }
    let needed = scratch_elements(model.config, batch.tokens().len());
    let same_config = model.config == state.layout().config();
    for (operand, expected, found) in [
        ("layers", model.config.layers, model.layers.len()),
        ("state's configuration", 1, usize::from(same_config)),
    ] {
        same("forward", operand, expected, found)?;
    }
    for (operand, expected, found) in [
        ("residual", needed.residual, scratch.residual.elements()),
        ("normed", needed.residual, scratch.normed.elements()),
        ("projected", needed.projected, scratch.projected.elements()),
        ("convolved", needed.convolved, scratch.convolved.elements()),
        ("mixed", needed.mixed, scratch.mixed.elements()),
        ("logits", batch.logits_for().len().saturating_mul(vocabulary), logits.elements()),
    ] {
        enough("forward", operand, expected, found)?;
    }
    Ok(())
}

fn run<B: Backend>(
    backend: &mut B,
    model: &Model<'_, B::Weight>,
    batch: &Batch<'_>,
    state: &mut State<'_, B::Buffer>,
    scratch: &mut Scratch<'_, B::Buffer>,
    logits: &mut B::Buffer,
) -> Result<(), B::Error> {
    let config = model.config;
    let layout = *state.layout();
    let (recurrent, cache, positions) = state.parts();
    let sequences = batch.sequences(positions);
    let (width, epsilon) = (config.width, config.norm_epsilon);
    let norm_dims = NormDims { rows: sequences.rows(), width, epsilon };
    let embedding = &model.ends.embedding;
    let dims = EmbeddingDims { width, scale: config.embedding_scale };
    match &model.ends.embedding_norm {
        None => backend.embedding(&dims, batch.tokens(), embedding, scratch.residual)?,
        Some(weights) => {
            backend.embedding(&dims, batch.tokens(), embedding, scratch.projected)?;
            norm(backend, &norm_dims, weights, scratch.projected, scratch.residual)?;
        }
    }
    for (index, layer) in model.layers.iter().enumerate() {
        let places = layout.layer(index);
        let mut pass = Pass { backend, sequences: &sequences, norm: norm_dims, scratch };
        pass.norm(&layer.norm)?;
        pass.mix(&layer.mixer, &places, (&mut *recurrent, &mut *cache))?;
        if let Some((norm, feed_forward)) = &layer.feed_forward {
            pass.norm(norm)?;
            pass.feed_forward(feed_forward, &places, recurrent)?;
        }
    }
    // Only rows whose logits are wanted go on. They wait in `projected`, as exactly as the residual stream: a backend may
    // keep `normed` in what its products take.
    let rows = batch.logits_for().len();
    if rows == 0 {
        return Ok(());
    }
    backend.gather_rows(width, batch.logits_for(), scratch.residual, scratch.projected)?;
    let norm_dims = NormDims { rows, ..norm_dims };
    norm(backend, &norm_dims, &model.ends.norm, scratch.projected, scratch.normed)?;
    let dims = LinearDims { rows, inputs: width, outputs: config.vocabulary, accumulate: false };
    let x = Columns::all(&*scratch.normed, width);
    backend.linear(&dims, x, &model.ends.head, Columns::all(&mut *logits, config.vocabulary))?;
    match config.logits_soft_cap {
        Some(cap) => backend.soft_cap(rows.saturating_mul(config.vocabulary), cap, logits),
        None => Ok(()),
    }
}
