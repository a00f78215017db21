//! The reference backend: every operation as the plain function of this crate, one token after the other.
//!
//! A token's result depends on its own sequence only, and on nothing but the tokens before it: the same bits
//! however a sequence is cut into calls and whatever else is in the batch. `Reference<f64>` is the truth that
//! other backends are compared with; `Reference<f32>` is what a constrained runtime runs.

mod causal_conv1d;
mod grouped_query_attention;
mod observe;
mod rg_lru;
mod rows;
mod ssd;
mod token_shift;
mod wkv6;

use core::fmt;
use core::ops::Range;

use crate::attention::kv_cache::KvCacheDims;
use crate::backend::{StateMemory, Storage};
use crate::batch::Sequences;
use crate::error::{CapacityError, ShapeError, enough};
use crate::hybrid::config::{FeedForward, MAX_LAYERS, Mixer, ModelConfig, Recurrence};
use crate::numeric::{Real, tensor::Tensor};
use crate::scratch::larger;
use crate::state::{StateError, StateMut};

pub use observe::Observe;

/// The reference backend. Buffers are slices of `R`, weights borrowed [`Tensor`]s, decoded row by row into
/// `work`.
#[derive(Debug)]
pub struct Reference<'a, R> {
    work: &'a mut [R],
    observer: Option<&'a mut dyn Observe<R>>,
}

/// Elements of work space that any operation of a model needs, with sequences of at most `capacity` tokens.
pub const fn work_elements(config: &ModelConfig, capacity: usize) -> usize {
    // A row of the widest linear map, or weight and bias of a norm.
    let feed_forward = match config.feed_forward {
        Some(FeedForward::Gated(mlp)) => mlp.hidden,
        Some(FeedForward::ChannelMix(mix)) => mix.hidden,
        None => 0,
    };
    let mut most = larger(config.width.saturating_mul(2), feed_forward);
    let mut layer = 0;
    while layer < config.layers && layer < MAX_LAYERS {
        if let Some(mixer) = config.mixer(layer) {
            most = larger(most, mixer_work_elements(&mixer, config.width, capacity));
        }
        layer += 1;
    }
    most
}

const fn mixer_work_elements(mixer: &Mixer, width: usize, capacity: usize) -> usize {
    match mixer {
        Mixer::Recurrent(Recurrence::Ssd(ssd)) => {
            let heads = ssd.dims.heads.saturating_mul(4);
            larger(larger(heads, ssd.dims.inner()), ssd.conv_width)
        }
        Mixer::Recurrent(Recurrence::RgLru(rg_lru)) => {
            larger(rg_lru.dims.work_elements(), rg_lru.conv_width)
        }
        Mixer::Recurrent(Recurrence::Wkv6(wkv6)) => {
            let norm = wkv6.dims.width().saturating_mul(2);
            let decay = larger(wkv6.decay_rank, wkv6.dims.width()).saturating_add(wkv6.decay_rank);
            larger(larger(norm, wkv6.shift(width).work_elements()), decay)
        }
        Mixer::Attention(attention) => {
            let dims = &attention.dims;
            let scores = KvCacheDims::new(dims, capacity).rows;
            let rotation = dims.rotary.saturating_mul(2);
            let attend = scores.saturating_add(rotation).saturating_add(dims.query_width());
            larger(attend, attention.conv_width)
        }
    }
}

/// What the operations return.
type Result<T = (), E = ReferenceError> = core::result::Result<T, E>;

/// Who looks on, if anyone does.
type Observer<'r, 'a, R> = Option<&'r mut (dyn Observe<R> + 'a)>;

/// Checks that the slab has the state of every sequence's slot, and that positions can be counted on.
fn check_slots<R>(
    operation: &'static str,
    sequences: &Sequences<'_>,
    state: &StateMut<'_, [R]>,
) -> Result<(), ShapeError> {
    sequences.iter().try_for_each(|sequence| {
        let left = (usize::MAX - 1).saturating_sub(sequence.position);
        enough(operation, "positions", sequence.rows.len(), left)?;
        enough(operation, "state", state.region.slot(sequence.slot).end, state.buffer.len())
    })
}

impl<'a, R: Real> Reference<'a, R> {
    /// With [`work_elements`] of work space, whatever it holds.
    pub const fn new(work: &'a mut [R]) -> Self {
        Self { work, observer: None }
    }

    /// The same, looked at.
    #[must_use]
    pub fn observed(self, observer: Option<&'a mut dyn Observe<R>>) -> Self {
        Self { observer, ..self }
    }

    fn work(&mut self, needed: usize) -> Result<&mut [R], CapacityError> {
        work(self.work, needed)
    }

    /// Work space of a mixer, and who looks on and is told that it begins.
    fn mixer(&mut self, needed: usize) -> Result<(&mut [R], Observer<'_, 'a, R>), CapacityError> {
        let work = work(self.work, needed)?;
        let mut observer = self.observer.as_deref_mut();
        if let Some(observer) = &mut observer {
            observer.mixer();
        }
        Ok((work, observer))
    }
}

fn work<R>(all: &mut [R], needed: usize) -> Result<&mut [R], CapacityError> {
    let (given, what) = (all.len(), "reference work space");
    all.get_mut(..needed).ok_or(CapacityError { what, needed, given })
}

/// What can go wrong in a reference operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// An operand does not fit.
    Shape(ShapeError),
    /// A state does not allow it.
    State(StateError),
    /// Too little work space.
    Capacity(CapacityError),
}

impl From<ShapeError> for ReferenceError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl From<StateError> for ReferenceError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<CapacityError> for ReferenceError {
    fn from(error: CapacityError) -> Self {
        Self::Capacity(error)
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReferenceError {}

impl<'a, R: Real> Storage for Reference<'a, R> {
    type Buffer = [R];
    type Weight = Tensor<'a>;
    type Error = ReferenceError;
}

impl<R: Real> StateMemory for Reference<'_, R> {
    fn clear(&mut self, slab: &mut [R], range: Range<usize>) -> Result {
        enough("clear", "slab", range.end, slab.len())?;
        // A range that ends before it starts is empty.
        slab.get_mut(range).unwrap_or_default().fill(R::ZERO);
        Ok(())
    }

    fn copy_within(&mut self, slab: &mut [R], from: Range<usize>, to: usize) -> Result {
        let end = from.end.max(to.saturating_add(from.len()));
        enough("copy_within", "slab", end.max(from.start), slab.len())?;
        if !from.is_empty() {
            slab.copy_within(from, to);
        }
        Ok(())
    }
}
