//! The engine over longseq-cpu: the tokens of all slots in one forward pass, on all threads.
//!
//! A slot's numbers depend neither on the number of threads nor on what other slots do: the backend
//! keeps to that.

use longseq_core::{
    batch::Batch,
    hybrid::{config::ModelConfig, forward},
    scratch::{Scratch, scratch},
    state::{State, StateLayout},
};
use longseq_cpu::{
    Cpu, GRID,
    floats::Floats,
    gemm::Stored,
    isa::Isa,
    memory::{Extents, Room},
};

use super::{
    Continuation, Engine,
    call::{self, Call, Passes},
    packed::{Packed, Packing},
    worker::{check_tokens, greedy, internal, no_room},
};
use crate::error::{Error, Result};

/// Tokens of one forward pass: enough for matrix products to be fast, few enough for activations to
/// stay in the caches.
const TOKENS_OF_A_PASS: usize = 512;

/// Rows whose logits are wanted at once where all are: they are as wide as the vocabulary.
const ROWS_OF_LOGITS: usize = 64;

/// A model's slots, computed with longseq-cpu.
#[derive(Debug)]
pub struct CpuEngine<'a> {
    packed: Packed<'a>,
    backend: Cpu,
    capacity: usize,
    recurrent: Floats,
    cache: Floats,
    positions: Vec<usize>,
    arena: Floats,
    logits: Floats,
    call: Call,
}

/// Tokens of one forward pass of this model, at most.
fn tokens_of_a_pass(config: &ModelConfig, capacity: usize) -> usize {
    if config.reads_prompts_whole() { capacity.max(TOKENS_OF_A_PASS) } else { TOKENS_OF_A_PASS }
}

/// Elements of the buffers of a forward pass and of the logits of `rows` rows.
fn buffers(config: &ModelConfig, capacity: usize, rows: usize) -> [usize; 2] {
    let arena = scratch(config, tokens_of_a_pass(config, capacity)).total();
    [arena, config.vocabulary.saturating_mul(rows)]
}

/// Working memory of the backend for `slots` sequences of at most `capacity` tokens.
fn room(config: &ModelConfig, packing: &Packing, (slots, capacity): (usize, usize)) -> Room {
    let tokens = tokens_of_a_pass(config, capacity);
    let extents = Extents { tokens, rows: slots, slots, capacity };
    Room::new(config, Isa::best(), (packing.kinds, packing.products), &extents)
}

/// Bytes that [`CpuEngine`] takes beside weights and state, for `slots` sequences of at most `capacity` tokens.
pub fn buffer_bytes(config: &ModelConfig, packing: &Packing, of: (usize, usize)) -> u64 {
    let (slots, capacity) = of;
    let elements =
        buffers(config, capacity, slots).iter().fold(0, |sum: usize, n| sum.saturating_add(*n));
    let room = room(config, packing, of).bytes(rayon::current_num_threads());
    elements.saturating_mul(size_of::<f32>()).saturating_add(room) as u64
}

/// Zeros, or an error that says how much memory was asked for.
fn zeros(what: &str, elements: usize) -> Result<Floats> {
    Floats::zeros(elements).map_err(|_| no_room(what, elements.saturating_mul(size_of::<f32>())))
}

impl<'a> CpuEngine<'a> {
    /// `slots` sequences of at most `capacity` tokens each.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn new(packed: Packed<'a>, slots: usize, capacity: usize) -> Result<Self> {
        let config = packed.config;
        let layout = StateLayout::new(config, slots, capacity).map_err(internal)?;
        let (recurrent, cache) = layout.elements();
        let [arena, logits] = buffers(config, capacity, slots);
        let products = if packed.packing.products { Stored::Bf16 } else { Stored::F32 };
        let what = "the buffers of a forward pass";
        let recurrent = zeros("recurrent state", recurrent)?;
        let cache = zeros("keys and values", cache)?;
        let mut backend = Cpu::new(packed.isa).products_in(products);
        let room = room(config, &packed.packing, (slots, capacity));
        backend.reserve(&room).map_err(|_| no_room(what, room.bytes(1)))?;
        Ok(Self {
            backend,
            packed,
            capacity,
            recurrent,
            cache,
            positions: vec![0; slots],
            arena: zeros(what, arena)?,
            logits: zeros(what, logits)?,
            call: Call::default(),
        })
    }

    /// The state, and beside it what a forward pass works with.
    fn parts(&mut self) -> Result<(State<'_, [f32]>, Working<'_, 'a>)> {
        let slots = self.positions.len();
        let Self { packed, backend, capacity, recurrent, cache, positions, arena, logits, call } =
            self;
        let layout = StateLayout::new(packed.config, slots, *capacity).map_err(internal)?;
        let state = State::new(layout, &mut recurrent[..], &mut cache[..], &mut positions[..]);
        Ok((state.map_err(internal)?, Working { packed, backend, arena, logits, call }))
    }

    /// Runs the forward pass that was put together; the logits wanted lie in `logits` then.
    fn run(&mut self) -> Result<()> {
        let (mut state, Working { packed, backend, arena, logits, call }) = self.parts()?;
        let Call { tokens, ends, slots, rows, .. } = call;
        let batch = Batch::new(tokens, ends, slots, rows).map_err(internal)?;
        let elements = scratch(packed.config, tokens.len());
        let mut scratch = Scratch::carve(&elements, arena).map_err(internal)?;
        let model = packed.model();
        // On one of rayon's threads: from outside, each parallel operation would have to wake them.
        let pass = |_: &rayon::Scope<'_>| {
            forward(backend, &model, &batch, &mut state, &mut scratch, &mut logits[..])
        };
        rayon::scope(pass)
            .map_err(|source| Error::new(format!("the forward pass failed: {source}")))
    }
}

/// What a forward pass works with beside the state.
struct Working<'e, 'a> {
    packed: &'e Packed<'a>,
    backend: &'e mut Cpu,
    arena: &'e mut [f32],
    logits: &'e mut [f32],
    call: &'e Call,
}

impl Engine for CpuEngine<'_> {
    fn vocabulary(&self) -> usize {
        self.packed.config.vocabulary
    }

    fn slots(&self) -> usize {
        self.positions.len()
    }

    fn tokens_per_call(&self) -> usize {
        if self.packed.config.reads_prompts_whole() {
            usize::MAX
        } else {
            // As much for every slot as a forward pass takes.
            TOKENS_OF_A_PASS.saturating_mul(self.positions.len().saturating_add(1))
        }
    }

    fn reset(&mut self, slot: usize) {
        // Fails for a slot that does not exist only; using it is the error that is reported.
        let _ = self.parts().map(|(mut state, working)| state.reset(working.backend, slot));
    }

    fn fork(&mut self, from: usize, to: usize) {
        let _ = self.parts().map(|(mut state, working)| state.copy(working.backend, from, to));
    }

    fn forward(&mut self, batch: &[Continuation<'_>], next: &mut [u32]) -> Result<()> {
        call::forward(self, batch, next)
    }
}

impl Passes for CpuEngine<'_> {
    fn most(&self) -> usize {
        tokens_of_a_pass(self.packed.config, self.capacity)
    }

    fn whole(&self) -> bool {
        self.packed.config.reads_prompts_whole()
    }

    fn grid(&self) -> usize {
        GRID
    }

    fn position(&self, slot: usize) -> usize {
        self.positions.get(slot).copied().unwrap_or(0)
    }

    fn call(&mut self) -> &mut Call {
        &mut self.call
    }

    fn pass(&mut self, next: &mut [u32]) -> Result<()> {
        if !self.call.slots.is_empty() {
            self.run()?;
            let logits = self.logits.chunks(self.packed.config.vocabulary);
            for (&place, logits) in self.call.places.iter().zip(logits) {
                next[place] = greedy(logits)?;
            }
        }
        Ok(())
    }
}

/// The logits after every token of one text, as [`native::logits`](super::native::logits) gives them.
///
/// # Errors
/// A token beyond the vocabulary; not enough memory; whatever `see` returns.
pub fn logits(
    packed: Packed<'_>,
    (prompt, following): (&[u32], &[u32]),
    mut see: impl FnMut(&[f32]) -> Result<()>,
) -> Result<()> {
    let config = packed.config;
    check_tokens(config.vocabulary, prompt.iter().chain(following))?;
    let capacity = prompt.len() + following.len();
    let rows = if config.reads_prompts_whole() { prompt.len() } else { ROWS_OF_LOGITS };
    let mut engine = CpuEngine::new(packed, 1, capacity)?;
    engine.logits = zeros("logits", buffers(config, capacity, rows.min(capacity))[1])?;
    engine.reset(0);
    for piece in prompt.chunks(rows.max(1)).chain(following.chunks(1)) {
        engine.call.clear();
        engine.call.push(0, piece);
        engine.call.rows.extend(0..piece.len());
        engine.run()?;
        see(&engine.logits[..piece.len() * config.vocabulary])?;
    }
    Ok(())
}
