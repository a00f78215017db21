//! Runs a checkpoint whose weights a backend has taken over, with buffers of its own, poisoned with NaN before every use.

use std::borrow::BorrowMut;

use longseq::checkpoint::Checkpoint;
use longseq_core::backend::Backend;
use longseq_core::batch::Batch;
use longseq_core::hybrid::config::ModelConfig;
use longseq_core::hybrid::weights::{Ends, Layer, Model};
use longseq_core::hybrid::{ForwardError, forward};
use longseq_core::numeric::Real;
use longseq_core::numeric::compute::Compute;
use longseq_core::scratch::{Scratch, ScratchElements, scratch};
use longseq_core::state::{State, StateLayout};

use crate::transfer::{Take, Transfer};

/// A model with slots.
#[derive(Debug)]
pub struct Loaded<'c, B: Transfer> {
    backend: B,
    config: &'c ModelConfig,
    ends: Ends<B::Weight>,
    layers: Vec<Layer<B::Weight>>,
    slots: usize,
    capacity: usize,
    recurrent: B::Owned,
    cache: B::Owned,
    positions: Vec<usize>,
    scratch: MakeScratch<B>,
}

/// Makes the scratch buffers for so many tokens, in the order of [`Scratch`]; they are to hold NaN.
pub type MakeScratch<B> = fn(&mut B, &ModelConfig, usize) -> [<B as Transfer>::Owned; 5];

/// Scratch buffers as the backend makes buffers.
fn plain_scratch<B: Transfer>(
    backend: &mut B,
    config: &ModelConfig,
    tokens: usize,
) -> [B::Owned; 5] {
    let ScratchElements { residual, projected, convolved, mixed } = scratch(config, tokens);
    [residual, residual, projected, convolved, mixed].map(|elements| poisoned(backend, elements))
}

/// Residual, normed, projected, convolved, mixed, and logits.
pub type Buffers<B> = [<B as Transfer>::Owned; 6];

/// A buffer of NaN.
fn poisoned<B: Transfer>(backend: &mut B, elements: usize) -> B::Owned {
    backend.put(&vec![B::Scalar::from_f64(f64::NAN); elements])
}

impl<'c, B: Backend + Transfer<Scalar = f32> + Take> Loaded<'c, B> {
    /// `slots` empty slots, each for at most `capacity` tokens; `cache` makes the buffer of keys and values.
    pub fn new(
        checkpoint: &'c Checkpoint,
        compute: Compute,
        (slots, capacity): (usize, usize),
        mut backend: B,
        cache: impl FnOnce(&mut B, usize) -> B::Owned,
    ) -> Self {
        let weights = checkpoint.weights().expect("weights");
        let config = weights.config;
        let mut take = backend.take(compute);
        let ends = weights.ends.map(&mut take).expect("weights");
        let layers = weights.layers.iter().map(|layer| layer.map(&mut take).expect("weights"));
        let layers = layers.collect();
        drop(take);
        let layout = StateLayout::new(config, slots, capacity).expect("configuration");
        let (recurrent, cached) = layout.elements();
        let (recurrent, cache) = (poisoned(&mut backend, recurrent), cache(&mut backend, cached));
        let positions = vec![0; slots];
        let scratch: MakeScratch<B> = plain_scratch;
        let mut loaded = Self {
            backend,
            config,
            ends,
            layers,
            slots,
            capacity,
            recurrent,
            cache,
            positions,
            scratch,
        };
        for slot in 0..slots {
            loaded.with(|state, backend| state.reset(backend, slot)).expect("reset");
        }
        loaded
    }

    /// With scratch buffers of another kind.
    #[must_use]
    pub fn scratch(self, scratch: MakeScratch<B>) -> Self {
        Self { scratch, ..self }
    }

    /// The backend.
    pub const fn backend(&self) -> &B {
        &self.backend
    }

    /// Lends the state and the backend.
    pub fn with<T>(&mut self, use_state: impl FnOnce(&mut State<'_, B::Buffer>, &mut B) -> T) -> T {
        let layout = StateLayout::new(self.config, self.slots, self.capacity);
        let (recurrent, cache) = (self.recurrent.borrow_mut(), self.cache.borrow_mut());
        let mut state =
            State::new(layout.expect("configuration"), recurrent, cache, &mut self.positions)
                .expect("state");
        use_state(&mut state, &mut self.backend)
    }

    /// Continues slots by tokens; the logits of the rows asked for (rows of all tokens side by side).
    ///
    /// # Errors
    /// The forward pass's.
    pub fn forward(
        &mut self,
        continuations: &[(usize, &[u32])],
        logits_for: &[usize],
    ) -> Result<Vec<Vec<f64>>, ForwardError<B::Error>> {
        let tokens = continuations.iter().map(|(_, tokens)| tokens.len()).sum();
        let mut buffers = self.buffers(tokens, logits_for.len());
        self.forward_in(&mut buffers, continuations, logits_for, forward)
    }

    /// Scratch and logits of a forward pass of so many tokens and rows of logits.
    pub fn buffers(&mut self, tokens: usize, rows: usize) -> Buffers<B> {
        let [residual, normed, projected, convolved, mixed] =
            (self.scratch)(&mut self.backend, self.config, tokens);
        let logits = poisoned(&mut self.backend, rows * self.config.vocabulary);
        [residual, normed, projected, convolved, mixed, logits]
    }

    /// The same as [`Self::forward`] by [`forward`] or what does the same, in buffers that are large enough.
    ///
    /// # Errors
    /// The forward pass's.
    pub fn forward_in(
        &mut self,
        buffers: &mut Buffers<B>,
        continuations: &[(usize, &[u32])],
        logits_for: &[usize],
        pass: impl FnOnce(
            &mut B,
            &Model<'_, B::Weight>,
            &Batch<'_>,
            &mut State<'_, B::Buffer>,
            &mut Scratch<'_, B::Buffer>,
            &mut B::Buffer,
        ) -> Result<(), ForwardError<B::Error>>,
    ) -> Result<Vec<Vec<f64>>, ForwardError<B::Error>> {
        let tokens: Vec<u32> =
            continuations.iter().flat_map(|(_, tokens)| *tokens).copied().collect();
        let slots: Vec<usize> = continuations.iter().map(|(slot, _)| *slot).collect();
        let mut boundaries = vec![0];
        for (_, tokens) in continuations {
            boundaries.push(boundaries[boundaries.len() - 1] + tokens.len());
        }
        let batch = Batch::new(&tokens, &boundaries, &slots, logits_for).expect("batch");
        let [residual, normed, projected, convolved, mixed, logits] =
            buffers.each_mut().map(BorrowMut::borrow_mut);
        let mut scratch = Scratch { residual, normed, projected, convolved, mixed };
        let layout = StateLayout::new(self.config, self.slots, self.capacity);
        let (recurrent, cache) = (self.recurrent.borrow_mut(), self.cache.borrow_mut());
        let mut state =
            State::new(layout.expect("configuration"), recurrent, cache, &mut self.positions)
                .expect("state");
        let model = Model { config: self.config, ends: &self.ends, layers: &self.layers };
        pass(&mut self.backend, &model, &batch, &mut state, &mut scratch, logits)?;
        let logits = self.backend.get(&buffers[5]);
        let logits = &logits[..logits_for.len() * self.config.vocabulary];
        let row = |row: &[f32]| row.iter().map(|&x| x.into()).collect();
        Ok(logits.chunks(self.config.vocabulary).map(row).collect())
    }

    /// Continues one slot; the logits of every token.
    pub fn all(&mut self, slot: usize, tokens: &[u32]) -> Vec<Vec<f64>> {
        let rows: Vec<usize> = (0..tokens.len()).collect();
        self.forward(&[(slot, tokens)], &rows).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Continues one slot; the logits of the last token.
    pub fn last(&mut self, slot: usize, tokens: &[u32]) -> Vec<f64> {
        let rows = [tokens.len() - 1];
        let found = self.forward(&[(slot, tokens)], &rows);
        found.unwrap_or_else(|error| panic!("{error:?}")).remove(0)
    }
}
