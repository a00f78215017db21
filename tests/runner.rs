//! Runs a checkpoint's reference forward pass with buffers of its own, poisoned with NaN before every use.

use longseq::checkpoint::{Checkpoint, Weights};
use longseq_core::batch::Batch;
use longseq_core::hybrid::config::ModelConfig;
use longseq_core::hybrid::{ForwardError, forward};
use longseq_core::numeric::Real;
use longseq_core::reference::{Observe, Reference, ReferenceError, work_elements};
use longseq_core::scratch::{Scratch, scratch};
use longseq_core::state::{LayerState, Region, State, StateLayout};

/// What a forward pass can fail with.
pub type Failure = ForwardError<ReferenceError>;

/// A model with slots.
pub struct Runner<'c, R> {
    weights: Weights<'c>,
    slots: usize,
    capacity: usize,
    recurrent: Vec<R>,
    cache: Vec<R>,
    positions: Vec<usize>,
}

fn poisoned<R: Real>(elements: usize) -> Vec<R> {
    vec![R::from_f64(f64::NAN); elements]
}

impl<'c, R: Real> Runner<'c, R> {
    /// `slots` empty slots, each for at most `capacity` tokens.
    pub fn new(checkpoint: &'c Checkpoint, slots: usize, capacity: usize) -> Self {
        let weights = checkpoint.weights().expect("weights");
        let layout = StateLayout::new(weights.config, slots, capacity).expect("configuration");
        let (recurrent, cache) = layout.elements();
        let (recurrent, cache) = (poisoned(recurrent), poisoned(cache));
        let positions = vec![0; slots];
        let mut runner = Self { weights, slots, capacity, recurrent, cache, positions };
        for slot in 0..slots {
            runner.with(|state, backend| state.reset(backend, slot)).expect("reset");
        }
        runner
    }

    /// The model's sizes.
    pub fn config(&self) -> &'c ModelConfig {
        self.weights.config
    }

    fn layout(&self) -> StateLayout<'c> {
        StateLayout::new(self.weights.config, self.slots, self.capacity).expect("configuration")
    }

    /// Lends the state and a backend.
    pub fn with<T>(
        &mut self,
        use_state: impl FnOnce(&mut State<'_, [R]>, &mut Reference<'_, R>) -> T,
    ) -> T {
        let mut work = poisoned(work_elements(self.weights.config, self.capacity));
        let layout = self.layout();
        let (recurrent, cache) = (&mut self.recurrent[..], &mut self.cache[..]);
        let mut state = State::new(layout, recurrent, cache, &mut self.positions).expect("state");
        use_state(&mut state, &mut Reference::new(&mut work))
    }

    /// Continues slots by tokens; the logits of the rows asked for (rows of all tokens side by side).
    pub fn forward(
        &mut self,
        continuations: &[(usize, &[u32])],
        logits_for: &[usize],
    ) -> Result<Vec<Vec<f64>>, Failure> {
        self.observed(continuations, logits_for, None)
    }

    /// The same, looked at.
    pub fn observed(
        &mut self,
        continuations: &[(usize, &[u32])],
        logits_for: &[usize],
        observer: Option<&mut dyn Observe<R>>,
    ) -> Result<Vec<Vec<f64>>, Failure> {
        let config = self.weights.config;
        let tokens: Vec<u32> =
            continuations.iter().flat_map(|(_, tokens)| *tokens).copied().collect();
        let slots: Vec<usize> = continuations.iter().map(|(slot, _)| *slot).collect();
        let mut boundaries = vec![0];
        for (_, tokens) in continuations {
            boundaries.push(boundaries[boundaries.len() - 1] + tokens.len());
        }
        let batch = Batch::new(&tokens, &boundaries, &slots, logits_for).expect("batch");
        let elements = scratch(config, tokens.len());
        let mut arena = poisoned(elements.total());
        let mut logits = poisoned(logits_for.len() * config.vocabulary);
        let mut scratch = Scratch::carve(&elements, &mut arena).expect("scratch");
        let mut work = poisoned(work_elements(config, self.capacity));
        let observer = observer.map(|of| of as &mut dyn Observe<R>);
        let mut backend = Reference::new(&mut work).observed(observer);
        let layout = self.layout();
        let (recurrent, cache) = (&mut self.recurrent[..], &mut self.cache[..]);
        let mut state = State::new(layout, recurrent, cache, &mut self.positions).expect("state");
        let model = self.weights.model();
        forward(&mut backend, &model, &batch, &mut state, &mut scratch, &mut logits)?;
        Ok(logits.chunks(config.vocabulary).map(to_f64).collect())
    }

    /// Continues one slot; the logits of every token.
    pub fn all(&mut self, slot: usize, tokens: &[u32]) -> Vec<Vec<f64>> {
        let rows: Vec<usize> = (0..tokens.len()).collect();
        self.forward(&[(slot, tokens)], &rows).expect("forward")
    }

    /// Continues one slot; the logits of the last token.
    pub fn last(&mut self, slot: usize, tokens: &[u32]) -> Vec<f64> {
        self.forward(&[(slot, tokens)], &[tokens.len() - 1]).expect("forward").remove(0)
    }

    /// The places of a layer's state.
    pub fn places(&self, layer: usize) -> LayerState {
        self.layout().layer(layer)
    }

    /// One slot's piece of the recurrent slab.
    pub fn recurrent(&self, region: Region, slot: usize) -> Vec<f64> {
        to_f64(&self.recurrent[region.slot(slot)])
    }

    /// Lends one slot's piece of the recurrent slab.
    pub fn recurrent_mut(&mut self, region: Region, slot: usize) -> &mut [R] {
        &mut self.recurrent[region.slot(slot)]
    }

    /// One slot's keys and values of a layer, oldest first.
    pub fn keys_and_values(&self, layer: usize, slot: usize) -> (Vec<f64>, Vec<f64>) {
        let LayerState { cache, kv, .. } = self.places(layer);
        let piece = &self.cache[cache.slot(slot)];
        let (keys, values) = piece.split_at(piece.len() / 2);
        let tokens = self.positions[slot];
        let in_order = |of: &[R]| -> Vec<f64> {
            let kept = tokens.saturating_sub(kv.rows)..tokens;
            kept.flat_map(|position| to_f64(&of[kv.offset(position)..][..kv.width])).collect()
        };
        (in_order(keys), in_order(values))
    }
}

fn to_f64<R: Real>(values: &[R]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}
