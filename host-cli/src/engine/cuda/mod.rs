//! The engine over longseq-cuda: the tokens of all slots in one forward pass.
//!
//! A slot's numbers do not depend on what others hold. But cuBLASLt multiplies differently according to how many rows there
//! are, so they may differ in their last bits with what is computed beside them, and with where a prompt is cut.

pub mod check;
mod device;
mod made;
mod memory;
mod sizes;
mod slots;

use longseq_core::{
    batch::Batch,
    hybrid::{
        ForwardError,
        config::ModelConfig,
        weights::{Ends, Layer, Model},
    },
    numeric::{compute::Compute, tensor::Dtype},
    scratch::Scratch,
    state::StateLayout,
};
use longseq_cuda::{
    Cuda, CudaError,
    buffer::Buffer,
    driver::gpu::Gpu,
    runtime::Runtime,
    weight::{Load, Weight},
};

use self::slots::Slots;
use super::{
    Continuation, Engine,
    call::{self, Call, Passes},
    worker::{check_tokens, internal},
};
use crate::{
    checkpoint::Checkpoint,
    error::{Error, Result},
};

pub use self::{
    device::{Found, checked, find},
    memory::{GRID, buffers, memory, packing, rounded_to, tokens_of_a_pass, usable},
    sizes::Sizes,
};

/// Rows whose logits are wanted at once where all are.
const ROWS_OF_LOGITS: usize = 512;

/// A model's weights: what comes before and after its layers, and those.
type OnDevice<M> = (Ends<Weight<M>>, Vec<Layer<Weight<M>>>);

/// A model's slots on a device.
#[derive(Debug)]
pub struct CudaEngine<'a, R: Runtime> {
    config: &'a ModelConfig,
    ends: Ends<Weight<R::Memory>>,
    layers: Vec<Layer<Weight<R::Memory>>>,
    backend: Cuda<R>,
    /// Tokens of one forward pass.
    most: usize,
    slots: Slots<R::Memory>,
    /// Residual, normed, projected, convolved, mixed.
    scratch: [Buffer<R::Memory>; 5],
    logits: Buffer<R::Memory>,
    call: Call,
}

/// What went wrong; where the GPU says so, with what to do about it.
fn explain<E: std::error::Error + 'static>(source: &CudaError<E>) -> Error {
    if let CudaError::Runtime(source) = source {
        let source: &dyn std::error::Error = source;
        if let Some(source) = source.downcast_ref() {
            return Error::gpu(source);
        }
    }
    internal(source)
}

impl<'a, R: Runtime> CudaEngine<'a, R> {
    /// `slots` sequences of at most `capacity` tokens each, of which a forward pass reads at most `most` at once.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn new(
        checkpoint: &'a Checkpoint,
        compute: Compute,
        mut backend: Cuda<R>,
        extents: (usize, usize, usize),
    ) -> Result<Self> {
        let config = checkpoint.config();
        let mut factors = Dtype::Bf16;
        let mut seen = |load: &Load<'_, '_, R>| {
            if load.factors() == Dtype::F32 {
                factors = Dtype::F32;
            }
        };
        let ends = checkpoint.ends(|ends| {
            let mut load = Load::new(&mut backend, compute);
            let ends = ends.map(&mut load).map_err(|source| explain(&source))?;
            seen(&load);
            Ok(ends)
        })?;
        let layers = (0..config.layers).map(|layer| {
            checkpoint.layer(layer, |layer| {
                let mut load = Load::new(&mut backend, compute);
                let layer = layer.map(&mut load).map_err(|source| explain(&source))?;
                seen(&load);
                Ok(layer)
            })
        });
        let layers = layers.collect::<Result<_>>()?;
        Self::with(config, (ends, layers), (compute, factors), backend, extents)
    }

    /// The same of weights that are on the device, whose products are of this dtype.
    fn with(
        config: &'a ModelConfig,
        (ends, layers): OnDevice<R::Memory>,
        (compute, factors): (Compute, Dtype),
        backend: Cuda<R>,
        (slots, capacity, most): (usize, usize, usize),
    ) -> Result<Self> {
        let mut backend = backend.products_in(memory::rounded_to(compute));
        let layout = StateLayout::new(config, slots, capacity).map_err(internal)?;
        let (recurrent, cache) = layout.elements();
        let mut buffer =
            |elements, dtype| backend.buffer(elements, dtype).map_err(|source| explain(&source));
        let recurrent = buffer(recurrent, Dtype::F32)?;
        let cache = buffer(cache, memory::rounded_to(compute))?;
        let logits = buffer(config.vocabulary.saturating_mul(slots), Dtype::F32)?;
        let [residual, normed, projected, convolved, mixed] =
            buffers(config, most, factors).map(|(elements, dtype)| buffer(elements, dtype));
        let scratch = [residual?, normed?, projected?, convolved?, mixed?];
        let (positions, call) = (vec![0; slots], Call::default());
        let slots = Slots { capacity, recurrent, cache, positions };
        Ok(Self { config, ends, layers, backend, most, slots, scratch, logits, call })
    }

    /// What it computes with.
    pub const fn backend(&self) -> &Cuda<R> {
        &self.backend
    }

    /// Makes the forward pass that was put together; the logits wanted lie in `logits` then.
    fn run(&mut self) -> Result<()> {
        let mut state = self.slots.state(self.config)?;
        let Call { tokens, ends, slots, rows, .. } = &self.call;
        let batch = Batch::new(tokens, ends, slots, rows).map_err(internal)?;
        let [residual, normed, projected, convolved, mixed] = &mut self.scratch;
        let mut scratch = Scratch { residual, normed, projected, convolved, mixed };
        let model = Model { config: self.config, ends: &self.ends, layers: &self.layers };
        let logits = &mut self.logits;
        let passed = self.backend.forward(&model, &batch, &mut state, &mut scratch, logits);
        passed.map_err(|source| match source {
            ForwardError::Backend(source) => explain(&source),
            source => Error::new(format!("the forward pass failed: {source}")),
        })
    }

    /// The logits after every token of one text, as [`native::logits`](super::native::logits) gives them, on an engine of one
    /// slot.
    ///
    /// # Errors
    /// A token beyond the vocabulary; not enough memory; whatever `see` returns.
    pub fn logits(
        &mut self,
        (prompt, following): (&[u32], &[u32]),
        mut see: impl FnMut(&[f32]) -> Result<()>,
    ) -> Result<()> {
        let vocabulary = self.config.vocabulary;
        check_tokens(vocabulary, prompt.iter().chain(following))?;
        let rows = if self.whole() { prompt.len() } else { ROWS_OF_LOGITS.min(self.most) };
        let elements = rows.min(self.slots.capacity).saturating_mul(vocabulary);
        let logits = self.backend.buffer(elements, Dtype::F32);
        self.logits = logits.map_err(|source| explain(&source))?;
        let mut read = vec![0.0; elements];
        self.reset(0);
        for piece in prompt.chunks(rows.max(1)).chain(following.chunks(1)) {
            self.call.clear();
            self.call.push(0, piece);
            self.call.rows.extend(0..piece.len());
            self.run()?;
            let read = &mut read[..piece.len() * vocabulary];
            let downloaded = self.backend.download(&self.logits, read);
            downloaded.map_err(|source| explain(&source))?;
            see(read)?;
        }
        Ok(())
    }

    /// The backend, without the model.
    fn into_backend(self) -> Cuda<R> {
        self.backend
    }
}

impl<R: Runtime> Engine for CudaEngine<'_, R> {
    fn vocabulary(&self) -> usize {
        self.config.vocabulary
    }

    fn slots(&self) -> usize {
        self.slots.positions.len()
    }

    fn tokens_per_call(&self) -> usize {
        if self.whole() { usize::MAX } else { self.most.saturating_mul(2) }
    }

    fn reset(&mut self, slot: usize) {
        // Fails for a slot that does not exist, or a lost device; using it is the error that is reported.
        let state = self.slots.state(self.config);
        let _ = state.map(|mut state| state.reset(&mut self.backend, slot));
    }

    fn fork(&mut self, from: usize, to: usize) {
        let state = self.slots.state(self.config);
        let _ = state.map(|mut state| state.copy(&mut self.backend, from, to));
    }

    fn forward(&mut self, batch: &[Continuation<'_>], next: &mut [u32]) -> Result<()> {
        call::forward(self, batch, next)
    }
}

impl<R: Runtime> Passes for CudaEngine<'_, R> {
    fn most(&self) -> usize {
        self.most
    }

    fn whole(&self) -> bool {
        self.config.reads_prompts_whole()
    }

    fn grid(&self) -> usize {
        GRID
    }

    fn position(&self, slot: usize) -> usize {
        self.slots.positions.get(slot).copied().unwrap_or(0)
    }

    fn call(&mut self) -> &mut Call {
        &mut self.call
    }

    fn pass(&mut self, next: &mut [u32]) -> Result<()> {
        if self.call.slots.is_empty() {
            return Ok(());
        }
        self.run()?;
        let rows = (self.call.rows.len(), self.config.vocabulary);
        if rows.0 == 0 {
            return Ok(());
        }
        let best = self.backend.argmax(rows, &self.logits).map_err(|source| explain(&source))?;
        for (&place, best) in self.call.places.iter().zip(best) {
            let best = best.ok_or_else(|| {
                Error::new("the model's output is not a number")
                    .help("the weights are damaged, or --compute f32 is needed")
            })?;
            next[place] = u32::try_from(best).map_err(internal)?;
        }
        Ok(())
    }
}

/// A model on the GPU that was found.
fn on_gpu<'a>(
    checkpoint: &'a Checkpoint,
    compute: Compute,
    (slots, capacity): (usize, usize),
) -> Result<CudaEngine<'a, Gpu>> {
    let found = find().map_err(Error::gpu)?;
    let most = tokens_of_a_pass(checkpoint.config(), capacity, found.free);
    CudaEngine::new(checkpoint, compute, found.open()?, (slots, capacity, most))
}

/// A model's slots on the GPU that was found.
///
/// # Errors
/// No GPU; not enough memory.
pub fn engine<'a>(
    checkpoint: &'a Checkpoint,
    compute: Compute,
    of: (usize, usize),
) -> Result<Box<dyn Engine + 'a>> {
    Ok(Box::new(on_gpu(checkpoint, compute, of)?))
}

/// The logits after every token of one text.
///
/// # Errors
/// As [`engine`] and [`CudaEngine::logits`].
pub fn logits(
    checkpoint: &Checkpoint,
    compute: Compute,
    text: (&[u32], &[u32]),
    see: impl FnMut(&[f32]) -> Result<()>,
) -> Result<()> {
    let capacity = text.0.len() + text.1.len();
    on_gpu(checkpoint, compute, (1, capacity))?.logits(text, see)
}
