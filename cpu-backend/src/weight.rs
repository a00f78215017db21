//! A model's weights as the operations read them.

mod form;
mod pack;

use std::sync::Arc;

use longseq_core::numeric::tensor::{Dtype, Tensor};

use crate::{
    CpuError, Result,
    gemm::{Packed, Stored},
};

pub use form::{Form, Forms};
pub use pack::{Pack, taps};

/// A weight.
#[derive(Debug)]
pub enum Weight {
    /// Read as a whole, in f32.
    Values(Vec<f32>),
    /// Packed: one matrix, multiplied by or read by rows, or several of a block-diagonal map. A head that is the
    /// embedding has the embedding's.
    Matrices(Arc<[Packed]>),
}

impl Weight {
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

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        match self {
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
