//! A model's weights as the operations read them.

mod form;
mod pack;

use std::sync::Arc;

use longseq_core::numeric::tensor::{Dtype, Tensor};

use crate::{
    CpuError, Result,
    gemm::{Packed, Stored},
};

pub use longseq_core::numeric::compute::Compute;

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

/// How one matrix made of these tensors is packed.
fn stored(compute: Compute, tensors: &[&Tensor<'_>]) -> Result<Stored> {
    Ok(match compute.dtype(tensors)? {
        Dtype::Bf16 => Stored::Bf16,
        _ => Stored::F32,
    })
}
