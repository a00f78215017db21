//! The engine over longseq-core's own operations, one slot a thread.
//!
//! A slot is computed by one thread from first to last token, alone: its numbers depend neither on
//! how many threads there are nor on what other slots do.

use std::sync::Mutex;

use longseq_core::{
    hybrid::config::ModelConfig,
    numeric::Real,
    reference::{Observe, Reference},
    state::{State, StateLayout},
};
use rayon::prelude::*;

use super::{
    Continuation, Engine,
    worker::{SlotMut, Worker, check_places, check_tokens, internal, zeros},
};
use crate::{checkpoint::Weights, error::Result};

pub use super::worker::{Rows, greedy};

/// Tokens of one call, where prompts may be cut.
const TOKENS_PER_CALL: usize = 256;

/// Elements of the buffers of one thread, for sequences of at most `capacity` tokens.
pub fn worker_elements(config: &ModelConfig, capacity: usize) -> usize {
    Worker::<f32>::elements(config, capacity, Rows::Last)
}

/// A model's slots, computed with `Reference<R>`.
#[derive(Debug)]
pub struct Native<'a, R> {
    weights: Weights<'a>,
    capacity: usize,
    recurrent: Vec<R>,
    cache: Vec<R>,
    positions: Vec<usize>,
    /// Buffers of threads that wait.
    workers: Mutex<Vec<Worker<R>>>,
}

impl<'a, R: Real> Native<'a, R> {
    /// `slots` sequences of at most `capacity` tokens each, on as many threads as rayon's pool
    /// has.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn new(weights: Weights<'a>, slots: usize, capacity: usize) -> Result<Self> {
        let layout = StateLayout::new(weights.config, slots, capacity).map_err(internal)?;
        let (recurrent, cache) = layout.elements();
        let threads = rayon::current_num_threads().min(slots);
        let workers = (0..threads).map(|_| Worker::new(weights.config, capacity, Rows::Last));
        let workers = Mutex::new(workers.collect::<Result<_>>()?);
        Ok(Self {
            weights,
            capacity,
            recurrent: zeros("recurrent state", recurrent)?,
            cache: zeros("keys and values", cache)?,
            positions: vec![0; slots],
            workers,
        })
    }

    fn state(&mut self) -> Result<State<'_, [R]>> {
        let slots = self.positions.len();
        let layout =
            StateLayout::new(self.weights.config, slots, self.capacity).map_err(internal)?;
        let Self { recurrent, cache, positions, .. } = self;
        State::new(layout, &mut recurrent[..], &mut cache[..], &mut positions[..]).map_err(internal)
    }

    /// The greedy token after each job, as many at a time as there are threads.
    fn compute(&mut self, batch: &[Continuation<'_>], next: &mut [u32]) -> Result<()> {
        check_places(batch, next)?;
        let Self { weights, capacity, recurrent, cache, positions, workers } = self;
        let layout = StateLayout::new(weights.config, 1, *capacity).map_err(internal)?;
        let workers = &*workers;
        let mut slots = split(&layout, recurrent, cache, positions);
        let jobs = batch.iter().map(|&Continuation { slot, tokens }| {
            let taken = slots.get_mut(slot).and_then(Option::take);
            let state = taken.ok_or_else(|| internal(format!("slot {slot} is not free")))?;
            Ok((state, tokens))
        });
        let jobs = jobs.collect::<Result<Vec<_>>>()?;
        let results: Vec<Result<()>> = jobs
            .into_par_iter()
            .zip(next)
            .map(|((slot, tokens), place)| {
                let waiting = workers.lock().map_err(internal)?.pop();
                let mut worker = match waiting {
                    Some(worker) => worker,
                    None => Worker::new(weights.config, *capacity, Rows::Last)?,
                };
                let mut next = None;
                let read =
                    worker.read(weights, layout, slot, (tokens, Rows::Last), None, |logits| {
                        next = Some(greedy(logits)?);
                        Ok(())
                    });
                workers.lock().map_err(internal)?.push(worker);
                read?;
                *place = next.ok_or_else(|| internal("a slot continued by no token"))?;
                Ok(())
            })
            .collect();
        results.into_iter().collect()
    }
}

/// Slabs are slot-major: each slot has one piece of each.
fn split<'s, R>(
    layout: &StateLayout<'_>,
    mut recurrent: &'s mut [R],
    mut cache: &'s mut [R],
    positions: &'s mut [usize],
) -> Vec<Option<SlotMut<'s, R>>> {
    let (recurrent_elements, cache_elements) = layout.slot_elements();
    let slots = positions.chunks_mut(1).map(|position| {
        let (mine, rest) = std::mem::take(&mut recurrent).split_at_mut(recurrent_elements);
        recurrent = rest;
        let (keys, rest) = std::mem::take(&mut cache).split_at_mut(cache_elements);
        cache = rest;
        Some(SlotMut { recurrent: mine, cache: keys, position })
    });
    slots.collect()
}

impl<R: Real> Engine for Native<'_, R> {
    fn vocabulary(&self) -> usize {
        self.weights.config.vocabulary
    }

    fn slots(&self) -> usize {
        self.positions.len()
    }

    fn tokens_per_call(&self) -> usize {
        if self.weights.config.reads_prompts_whole() { usize::MAX } else { TOKENS_PER_CALL }
    }

    fn reset(&mut self, slot: usize) {
        // Fails for a slot that does not exist only; using it is the error that is reported.
        let _ = self.state().map(|mut state| state.reset(&mut Reference::new(&mut []), slot));
    }

    fn fork(&mut self, from: usize, to: usize) {
        let _ = self.state().map(|mut state| state.copy(&mut Reference::new(&mut []), from, to));
    }

    fn forward(&mut self, batch: &[Continuation<'_>], next: &mut [u32]) -> Result<()> {
        self.compute(batch, next)
    }
}

/// The logits after the tokens of one text, handed to `see` some rows at a time, in order: a prompt is read in one go, what
/// follows it token by token. Of the prompt `rows` are wanted, of the others all; `observer` looks on.
///
/// # Errors
/// A token beyond the vocabulary; not enough memory; whatever `see` returns.
pub fn logits<R: Real>(
    weights: &Weights<'_>,
    (prompt, rows, following): (&[u32], Rows, &[u32]),
    mut observer: Option<&mut dyn Observe<R>>,
    mut see: impl FnMut(&[R]) -> Result<()>,
) -> Result<()> {
    check_tokens(weights.config.vocabulary, prompt.iter().chain(following))?;
    let capacity = prompt.len() + following.len();
    let layout = StateLayout::new(weights.config, 1, capacity).map_err(internal)?;
    let (recurrent, cache) = layout.elements();
    let mut recurrent = zeros::<R>("recurrent state", recurrent)?;
    let mut cache = zeros::<R>("keys and values", cache)?;
    let mut position = [0];
    let mut worker = Worker::new(weights.config, capacity, rows)?;
    let following = following.chunks(1).map(|token| (token, Rows::Last));
    for wanted in std::iter::once((prompt, rows)).chain(following) {
        let slot =
            SlotMut { recurrent: &mut recurrent, cache: &mut cache, position: &mut position };
        worker.read(
            weights,
            layout,
            slot,
            wanted,
            observer.as_deref_mut().map(|of| of as &mut dyn Observe<R>),
            &mut see,
        )?;
    }
    Ok(())
}
