//! The model in flash, and its forward pass in memory of fixed size.

use heapless::Vec;
use longseq_core::batch::Batch;
use longseq_core::error::CapacityError;
use longseq_core::hybrid::bind::{bind_ends, bind_layer};
use longseq_core::hybrid::config::ModelConfig;
use longseq_core::hybrid::forward;
use longseq_core::hybrid::weights::{Ends, Layer, Model};
use longseq_core::numeric::{softmax::argmax, tensor::Tensor};
use longseq_core::reference::Reference;
use longseq_core::scratch::{Buffers, StaticScratch};
use longseq_core::state::{State, StateLayout, StaticState};

use crate::failure::Failure;
use crate::hash::Hash;
use crate::image::Image;
use crate::memory::CALL;

/// The most layers a model can have here.
pub const LAYERS: usize = 8;

/// The tensors of an image, found.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    ends: Ends<Tensor<'a>>,
    layers: Vec<Layer<Tensor<'a>>, LAYERS>,
}

impl<'a> Bound<'a> {
    /// Finds every tensor. Nothing is copied.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape; too many layers.
    // Not inlined, or the copies that are made on the way would stay on the stack.
    #[inline(never)]
    pub fn new(image: &Image<'a>) -> Result<Self, Failure> {
        let (needed, given) = (image.config.layers, LAYERS);
        let mut layers = Vec::new();
        for layer in 0..needed {
            let layer = bind_layer(&image.config, image, layer)?;
            let full = CapacityError { what: "layers", needed, given };
            layers.push(layer).map_err(|_| full)?;
        }
        Ok(Self { ends: bind_ends(&image.config, image)?, layers })
    }

    /// The model, for a forward pass.
    pub fn model<'m>(&'m self, config: &'m ModelConfig) -> Model<'m, Tensor<'a>> {
        Model { config, ends: &self.ends, layers: &self.layers }
    }
}

/// A model that reads one text.
#[derive(Debug)]
pub struct Reader<'a, 'm> {
    model: Model<'m, Tensor<'a>>,
    state: State<'m, [f32]>,
    buffers: Buffers<'m>,
}

impl<'a, 'm> Reader<'a, 'm> {
    /// An empty text of at most `capacity` tokens.
    ///
    /// # Errors
    /// A configuration that is none; a static array that is too small.
    pub fn new<const STATE: usize, const SCRATCH: usize>(
        model: Model<'m, Tensor<'a>>,
        capacity: usize,
        state: &'m mut StaticState<STATE>,
        scratch: &'m mut StaticScratch<SCRATCH>,
    ) -> Result<Self, Failure> {
        let buffers = scratch.buffers(model.config, CALL, capacity)?;
        let mut state = state.state(StateLayout::new(model.config, 1, capacity)?)?;
        state.reset(&mut Reference::new(&mut *buffers.work), 0)?;
        Ok(Self { model, state, buffers })
    }

    /// Continues the text; afterwards [`Self::next`] is known.
    ///
    /// # Errors
    /// Those of the forward pass, [`StateError::Full`](longseq_core::state::StateError::Full) for one.
    pub fn read(&mut self, tokens: &[u32]) -> Result<(), Failure> {
        let Buffers { scratch, work, logits } = &mut self.buffers;
        for call in tokens.chunks(CALL) {
            let (ends, last) = ([0, call.len()], [call.len() - 1]);
            let batch = Batch::new(call, &ends, &[0], &last)?;
            let mut backend = Reference::new(work);
            forward(&mut backend, &self.model, &batch, &mut self.state, scratch, logits)?;
        }
        Ok(())
    }

    /// The greedy next token.
    ///
    /// # Errors
    /// The logits are not numbers.
    pub fn next(&self) -> Result<u32, Failure> {
        let next = argmax(&*self.buffers.logits).and_then(|token| u32::try_from(token).ok());
        next.ok_or(Failure::NotANumber)
    }

    /// Of the logits after the last token.
    pub fn logits(&self) -> Hash {
        Hash::of(self.buffers.logits)
    }

    /// Bytes of state: of recurrences, of keys and values in use, and of those that there is room for.
    pub fn bytes(&self) -> [usize; 3] {
        let layout = self.state.layout();
        let position = self.state.position(0).unwrap_or(0);
        let used = (0..layout.config().layers).map(|layer| {
            let kv = layout.layer(layer).kv;
            2 * position.min(kv.rows) * kv.width
        });
        let (recurrent, cache) = layout.elements();
        [recurrent, used.sum(), cache].map(|elements| elements * size_of::<f32>())
    }
}
