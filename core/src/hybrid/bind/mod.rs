//! Binds a checkpoint's tensors to a configuration: every tensor is asked for by its on-disk name
//! and must have the shape that the configuration implies.
//!
//! [`bind_ends`] and, for each layer, [`bind_layer`] ask for every tensor that belongs to the model,
//! tied copies included, so that a source that remembers the names can tell what is left over.
#![expect(clippy::result_large_err, reason = "bound once; the error holds a name without a heap")]

mod llama;
mod mamba_ssm;
mod names;
mod recurrent_gemma;
mod rwkv6;

use core::fmt;

use super::config::{Family, ModelConfig};
use super::weights::{Ends, Layer};
use crate::numeric::tensor::{MAX_RANK, Tensor};

/// Where tensors come from: a mapped checkpoint, flash.
pub trait WeightSource<'a> {
    /// The tensor of that name, if there is one.
    fn tensor(&self, name: &str) -> Option<Tensor<'a>>;
}

/// A tensor's on-disk name. The longest that is asked for has 64 characters.
pub type TensorName = heapless::String<96>;

/// A shape.
pub type Shape = heapless::Vec<usize, MAX_RANK>;

/// Why a checkpoint does not fit its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindError {
    /// A tensor is not there.
    Missing {
        /// Its name.
        name: TensorName,
        /// The shape it should have.
        expected: Shape,
    },
    /// A tensor has another shape than the configuration implies.
    Shape {
        /// Its name.
        name: TensorName,
        /// The shape it should have.
        expected: Shape,
        /// The shape it has.
        found: Shape,
    },
    /// The configuration has no mixer for this layer, or parts that its family does not have.
    OtherParts {
        /// The layer's number, from 0.
        layer: usize,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, expected } => {
                write!(f, "tensor {name}, of shape {expected:?}, is missing")
            }
            Self::Shape { name, expected, found } => write!(
                f,
                "tensor {name} has shape {found:?}, but the configuration implies {expected:?}"
            ),
            Self::OtherParts { layer } => {
                write!(f, "layer {layer} is not made of the parts of its family")
            }
        }
    }
}

impl core::error::Error for BindError {}

type Bound<T> = Result<T, BindError>;

/// Embedding, final norm and head.
///
/// # Errors
/// The first tensor that is missing or mis-shaped, by name.
pub fn bind_ends<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
) -> Bound<Ends<Tensor<'a>>> {
    match config.family {
        Family::Mamba2 | Family::Mamba2Attention | Family::TransformerPlusPlus => {
            mamba_ssm::ends(config, source)
        }
        Family::Llama => llama::ends(config, source),
        Family::RecurrentGemma => recurrent_gemma::ends(config, source),
        Family::Rwkv6 => rwkv6::ends(config, source),
    }
}

/// One layer, counted from 0.
///
/// # Errors
/// The first tensor that is missing or mis-shaped, by name; a layer without the parts of its family.
pub fn bind_layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    match config.family {
        Family::Mamba2 | Family::Mamba2Attention | Family::TransformerPlusPlus => {
            mamba_ssm::layer(config, source, layer)
        }
        Family::Llama => llama::layer(config, source, layer),
        Family::RecurrentGemma => recurrent_gemma::layer(config, source, layer),
        Family::Rwkv6 => rwkv6::layer(config, source, layer),
    }
}
