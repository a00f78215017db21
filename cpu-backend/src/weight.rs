//! A model's weights as the operations read them.

use longseq_core::{
    error::ShapeError,
    hybrid::map::MapWeights,
    numeric::{
        linear::Linear,
        tensor::{Dtype, Tensor},
    },
};

use crate::{
    CpuError, Result,
    gemm::{Packed, Stored},
};

/// A weight.
#[derive(Debug)]
pub enum Weight<'a> {
    /// Of which rows are read: as it lies in the checkpoint.
    Table(Tensor<'a>),
    /// Read as a whole, in f32.
    Values(Vec<f32>),
    /// Multiplied by, packed: one matrix, or several of a block-diagonal map.
    Matrices(Vec<Packed>),
}

impl Weight<'_> {
    /// Its values.
    ///
    /// # Errors
    /// Another kind of weight.
    pub fn values(&self, operation: &'static str) -> Result<&[f32]> {
        match self {
            Self::Values(values) => Ok(values),
            _ => Err(CpuError::Weight { operation }),
        }
    }

    /// Its matrices.
    ///
    /// # Errors
    /// Another kind of weight.
    pub fn matrices(&self, operation: &'static str) -> Result<&[Packed]> {
        match self {
            Self::Matrices(matrices) => Ok(matrices),
            _ => Err(CpuError::Weight { operation }),
        }
    }

    /// Its one matrix.
    ///
    /// # Errors
    /// Another kind of weight.
    pub fn matrix(&self, operation: &'static str) -> Result<&Packed> {
        match self.matrices(operation)? {
            [matrix] => Ok(matrix),
            _ => Err(CpuError::Weight { operation }),
        }
    }

    /// Bytes of memory beside the checkpoint's own.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Table(_) => 0,
            Self::Values(values) => size_of_val(values.as_slice()),
            Self::Matrices(matrices) => matrices.iter().map(Packed::bytes).sum(),
        }
    }
}

/// In which precision matrices are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// bf16 where that is exact, else f32.
    Exact,
    /// bf16, rounded where that is not exact.
    Bf16,
    /// f32.
    F32,
}

impl Compute {
    fn stored(self, tensors: &[&Tensor<'_>]) -> Result<Stored> {
        Ok(match self {
            Self::Bf16 => Stored::Bf16,
            Self::F32 => Stored::F32,
            Self::Exact => {
                for tensor in tensors {
                    if !is_bf16(tensor)? {
                        return Ok(Stored::F32);
                    }
                }
                Stored::Bf16
            }
        })
    }
}

/// Whether rounding to bf16 changes no element.
fn is_bf16(tensor: &Tensor<'_>) -> Result<bool> {
    if tensor.dtype() == Dtype::Bf16 {
        return Ok(true);
    }
    let mut piece = [0.0_f32; 256];
    for first in (0..tensor.elements()).step_by(piece.len()) {
        let piece = &mut piece[..256.min(tensor.elements() - first)];
        tensor.decode(first, piece)?;
        if piece.iter().any(|x| x.to_bits() & 0xffff != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Packs a bound model's weights.
#[derive(Clone, Copy, Debug)]
pub struct Pack(pub Compute);

impl<'a> MapWeights<Tensor<'a>> for Pack {
    type Weight = Weight<'a>;
    type Error = CpuError;

    fn linear(&mut self, maps: &[&Linear<Tensor<'a>>]) -> Result<Linear<Weight<'a>>> {
        let weights: Vec<&Tensor<'_>> = maps.iter().map(|map| &map.weight).collect();
        let columns = |tensor: &Tensor<'_>| tensor.shape().last().copied().unwrap_or(0);
        let inputs = weights.first().map_or(0, |first| columns(first));
        if let Some(other) = weights.iter().map(|of| columns(of)).find(|other| *other != inputs) {
            let (operation, operand) = ("linear", "inputs");
            return Err(ShapeError { operation, operand, expected: inputs, found: other }.into());
        }
        let rows: Vec<(&Tensor<'_>, usize)> = weights
            .iter()
            .flat_map(|tensor| {
                let rows = tensor.elements().checked_div(inputs).unwrap_or(0);
                (0..rows).map(move |row| (*tensor, row))
            })
            .collect();
        let packed = Packed::new((rows.len(), inputs), self.0.stored(&weights)?, |n, out| {
            let (tensor, row) = rows[n];
            Ok::<_, CpuError>(tensor.decode(row * inputs, out)?)
        })?;
        Ok(Linear { weight: Weight::Matrices(vec![packed]), bias: stacked_bias(maps)? })
    }

    fn matrices(&mut self, weight: &Tensor<'a>, blocks: usize) -> Result<Weight<'a>> {
        let [.., inputs, outputs] = *weight.shape() else {
            let (operation, operand) = ("matrices", "axes");
            let found = weight.shape().len();
            return Err(ShapeError { operation, operand, expected: 2, found }.into());
        };
        let stored = self.0.stored(&[weight])?;
        let block = |block: usize| {
            Packed::new((outputs, inputs), stored, |n, out| {
                out.iter_mut().enumerate().try_for_each(|(k, out)| -> Result {
                    let first = (block * inputs + k) * outputs + n;
                    Ok(weight.decode(first, core::slice::from_mut(out))?)
                })
            })
        };
        let matrices = (0..blocks).map(block).collect::<Result<_>>()?;
        Ok(Weight::Matrices(matrices))
    }

    fn table(&mut self, weight: &Tensor<'a>) -> Result<Weight<'a>> {
        Ok(Weight::Table(*weight))
    }

    fn values(&mut self, weight: &Tensor<'a>) -> Result<Weight<'a>> {
        values(weight).map(Weight::Values)
    }
}

fn values(weight: &Tensor<'_>) -> Result<Vec<f32>> {
    let mut values = vec![0.0; weight.elements()];
    weight.decode(0, &mut values)?;
    Ok(values)
}

/// The biases one after the other; zeros for a map without, if another has one.
fn stacked_bias<'a>(maps: &[&Linear<Tensor<'a>>]) -> Result<Option<Weight<'a>>> {
    if maps.iter().all(|map| map.bias.is_none()) {
        return Ok(None);
    }
    let mut stacked = Vec::new();
    for map in maps {
        match &map.bias {
            Some(bias) => stacked.extend(values(bias)?),
            None => {
                let rows = map.weight.shape().first().copied().unwrap_or(0);
                stacked.resize(stacked.len() + rows, 0.0);
            }
        }
    }
    Ok(Some(Weight::Values(stacked)))
}
