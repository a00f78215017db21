//! In which precision a fast backend multiplies by a model's matrices.

use super::tensor::{Dtype, Tensor};
use crate::error::ShapeError;

/// How matrices are held.
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
    /// The dtype, bf16 or f32, of one matrix made of these tensors.
    ///
    /// # Errors
    /// None of a well-formed tensor.
    pub fn dtype(self, tensors: &[&Tensor<'_>]) -> Result<Dtype, ShapeError> {
        Ok(match self {
            Self::Bf16 => Dtype::Bf16,
            Self::F32 => Dtype::F32,
            Self::Exact => {
                for tensor in tensors {
                    if !is_bf16(tensor)? {
                        return Ok(Dtype::F32);
                    }
                }
                Dtype::Bf16
            }
        })
    }
}

/// Whether rounding to bf16 changes no element.
fn is_bf16(tensor: &Tensor<'_>) -> Result<bool, ShapeError> {
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
