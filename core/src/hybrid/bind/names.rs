//! Asking for tensors by name and shape.

use core::fmt::{self, Write};

use super::{BindError, Bound, Shape, TensorName, WeightSource};
use crate::hybrid::config::ModelConfig;
use crate::hybrid::weights::{Ends, Norm};
use crate::numeric::linear::Linear;
use crate::numeric::tensor::Tensor;
use crate::recurrence::causal_conv1d::Conv;

/// The tensor of that name, which must have that shape.
pub(super) fn tensor<'a, S: WeightSource<'a> + ?Sized>(
    source: &S,
    name: fmt::Arguments<'_>,
    shape: &[usize],
) -> Bound<Tensor<'a>> {
    let mut full = TensorName::new();
    // Cannot fail: no name is longer than the capacity.
    let _ = full.write_fmt(name);
    let expected = Shape::from_slice(shape).unwrap_or_default();
    match source.tensor(&full) {
        None => Err(BindError::Missing { name: full, expected }),
        Some(tensor) if tensor.shape() == shape => Ok(tensor),
        Some(tensor) => {
            let found = Shape::from_slice(tensor.shape()).unwrap_or_default();
            Err(BindError::Shape { name: full, expected, found })
        }
    }
}

/// The tensors of one layer.
pub(super) struct Names<'s, S: ?Sized> {
    pub(super) source: &'s S,
    pub(super) stem: &'static str,
    pub(super) layer: usize,
}

impl<'a, S: WeightSource<'a> + ?Sized> Names<'_, S> {
    pub(super) fn tensor(&self, name: fmt::Arguments<'_>, shape: &[usize]) -> Bound<Tensor<'a>> {
        let Self { source, stem, layer } = self;
        tensor(*source, format_args!("{stem}.{layer}.{name}"), shape)
    }

    pub(super) fn linear(
        &self,
        name: &str,
        shape: [usize; 2],
        bias: bool,
    ) -> Bound<Linear<Tensor<'a>>> {
        let weight = self.tensor(format_args!("{name}.weight"), &shape)?;
        let bias = bias.then(|| self.tensor(format_args!("{name}.bias"), &shape[..1]));
        Ok(Linear { weight, bias: bias.transpose()? })
    }

    pub(super) fn conv(
        &self,
        name: &str,
        (channels, width): (usize, usize),
        bias: bool,
    ) -> Bound<Conv<Tensor<'a>>> {
        let weight = self.tensor(format_args!("{name}.weight"), &[channels, 1, width])?;
        let bias = bias.then(|| self.tensor(format_args!("{name}.bias"), &[channels]));
        Ok(Conv { weight, bias: bias.transpose()? })
    }

    /// A vector or table that is stored in any of these shapes; the last is the one that messages expect.
    pub(super) fn any_shape(&self, name: &str, shapes: &[&[usize]]) -> Bound<Tensor<'a>> {
        let mut found = Err(BindError::OtherParts { layer: self.layer });
        for shape in shapes {
            found = self.tensor(format_args!("{name}"), shape);
            if found.is_ok() {
                break;
            }
        }
        found
    }
}

/// What comes before the first layer and after the last: embedding and head by name, and the final norm.
/// A tied head is the embedding, though it may be stored all the same.
pub(super) fn named_ends<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
    [embedding, head]: [&str; 2],
    norm: Norm<Tensor<'a>>,
) -> Bound<Ends<Tensor<'a>>> {
    let table = [config.vocabulary, config.width];
    let embedding = tensor(source, format_args!("{embedding}"), &table)?;
    let weight = match tensor(source, format_args!("{head}"), &table) {
        Err(BindError::Missing { .. }) if config.tied_head => embedding,
        Ok(_) if config.tied_head => embedding,
        head => head?,
    };
    Ok(Ends { embedding, embedding_norm: None, norm, head: Linear { weight, bias: None } })
}
