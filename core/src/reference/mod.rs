//! The reference backend: every operation as the plain function of this crate, one token after the other.
//!
//! A token's result depends on its own sequence only, and on nothing but the tokens before it: the same bits
//! however a sequence is cut into calls and whatever else is in the batch. `Reference<f64>` is the truth that
//! other backends are compared with; `Reference<f32>` is what a constrained runtime runs.

mod rows;
mod sequences;

use core::fmt;
use core::ops::Range;

use crate::backend::{StateMemory, Storage};
use crate::error::{CapacityError, ShapeError, enough};
use crate::hybrid::config::{Mixer, ModelConfig};
use crate::numeric::{Real, tensor::Tensor};
use crate::state::StateError;

/// The reference backend. Buffers are slices of `R`, weights borrowed [`Tensor`]s, decoded row by row into
/// `work`.
#[derive(Debug)]
pub struct Reference<'a, R> {
    work: &'a mut [R],
}

/// Elements of work space that any operation of a model needs, with sequences of at most `capacity` tokens.
pub fn work_elements(config: &ModelConfig, capacity: usize) -> usize {
    let mlp = config.mlp_hidden.unwrap_or(0);
    (0..config.layers).filter_map(|layer| config.mixer(layer)).fold(
        config.width.max(mlp),
        |most, mixer| {
            most.max(match mixer {
                Mixer::Ssd(ssd) => {
                    let heads = ssd.dims.heads.saturating_mul(4);
                    heads.max(ssd.dims.inner()).max(ssd.conv_width)
                }
                Mixer::Attention(attention) => {
                    let dims = attention.dims;
                    let scores = dims.window.map_or(capacity, |window| window.min(capacity));
                    let rotation = dims.rotary.saturating_mul(2);
                    let attend = scores.saturating_add(rotation).saturating_add(dims.query_width());
                    attend.max(attention.conv_width)
                }
            })
        },
    )
}

impl<'a, R: Real> Reference<'a, R> {
    /// With [`work_elements`] of work space, whatever it holds.
    pub const fn new(work: &'a mut [R]) -> Self {
        Self { work }
    }

    fn work(&mut self, needed: usize) -> Result<&mut [R], CapacityError> {
        let given = self.work.len();
        let what = "reference work space";
        self.work.get_mut(..needed).ok_or(CapacityError { what, needed, given })
    }
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
    fn clear(&mut self, slab: &mut [R], range: Range<usize>) -> Result<(), ReferenceError> {
        enough("clear", "slab", range.end, slab.len())?;
        slab[range].fill(R::ZERO);
        Ok(())
    }

    fn copy_within(
        &mut self,
        slab: &mut [R],
        from: Range<usize>,
        to: usize,
    ) -> Result<(), ReferenceError> {
        let end = from.end.max(to.saturating_add(from.len()));
        enough("copy_within", "slab", end, slab.len())?;
        slab.copy_within(from, to);
        Ok(())
    }
}
