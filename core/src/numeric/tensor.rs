//! A weight tensor as it lies in a checkpoint: borrowed bytes in their storage dtype.

use core::fmt;

use super::Real;
use crate::error::ShapeError;

/// How a stored element is encoded. Every one of them decodes to `f32` exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE 754 binary32, little endian.
    F32,
    /// The upper half of an `f32`, little endian.
    Bf16,
    /// IEEE 754 binary16, little endian.
    F16,
}

impl Dtype {
    /// Bytes an element takes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 | Self::F16 => 2,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        })
    }
}

/// The most axes a weight of any family has.
pub const MAX_RANK: usize = 4;

/// A row-major, contiguous tensor of borrowed bytes. `data` need not be aligned.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    dtype: Dtype,
    shape: [usize; MAX_RANK],
    rank: usize,
    data: &'a [u8],
}

/// Why bytes and shape do not make a [`Tensor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorError {
    /// More than [`MAX_RANK`] axes.
    Rank(usize),
    /// The bytes are not the product of the shape times the element size.
    Length {
        /// Bytes that dtype and shape imply; `None` if that overflows.
        expected: Option<usize>,
        /// Bytes given.
        found: usize,
    },
}

impl fmt::Display for TensorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rank(rank) => write!(f, "{rank} axes, at most {MAX_RANK} are supported"),
            Self::Length { expected: Some(expected), found } => {
                write!(f, "{found} bytes, but dtype and shape make {expected}")
            }
            Self::Length { expected: None, .. } => f.write_str("the shape overflows"),
        }
    }
}

impl core::error::Error for TensorError {}

impl<'a> Tensor<'a> {
    /// Wraps `data`, checking its length against dtype and shape.
    pub fn new(dtype: Dtype, shape: &[usize], data: &'a [u8]) -> Result<Self, TensorError> {
        if shape.len() > MAX_RANK {
            return Err(TensorError::Rank(shape.len()));
        }
        let expected =
            shape.iter().try_fold(dtype.bytes(), |product, &extent| product.checked_mul(extent));
        if expected != Some(data.len()) {
            return Err(TensorError::Length { expected, found: data.len() });
        }
        let mut extents = [1; MAX_RANK];
        extents[..shape.len()].copy_from_slice(shape);
        Ok(Self { dtype, shape: extents, rank: shape.len(), data })
    }

    /// The storage dtype.
    pub const fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape[..self.rank]
    }

    /// The raw little-endian bytes.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.data.len() / self.dtype.bytes()
    }

    /// Decodes `out.len()` elements from element `first` on, row-major. Exact in f32 and f64.
    ///
    /// # Errors
    /// If the tensor ends before them.
    pub fn decode<R: Real>(&self, first: usize, out: &mut [R]) -> Result<(), ShapeError> {
        let size = self.dtype.bytes();
        let range = first.checked_mul(size).zip(out.len().checked_mul(size));
        let bytes = range.and_then(|(start, length)| self.data.get(start..)?.get(..length));
        let Some(bytes) = bytes else {
            let (expected, found) = (first.saturating_add(out.len()), self.elements());
            return Err(ShapeError { operation: "decode", operand: "tensor", expected, found });
        };
        match self.dtype {
            Dtype::F32 => decode_each(bytes, out, f32::from_le_bytes),
            Dtype::Bf16 => decode_each(bytes, out, |b| half::bf16::from_le_bytes(b).to_f32()),
            Dtype::F16 => decode_each(bytes, out, |b| half::f16::from_le_bytes(b).to_f32()),
        }
        Ok(())
    }
}

/// A weight whose elements can be had in pieces, whatever holds them.
pub trait Decode<R> {
    /// How many there are.
    fn elements(&self) -> usize;

    /// Writes `out.len()` elements, row-major, from element `first` on.
    ///
    /// # Errors
    /// If there are not so many.
    fn decode(&self, first: usize, out: &mut [R]) -> Result<(), ShapeError>;
}

impl<R: Real> Decode<R> for Tensor<'_> {
    fn elements(&self) -> usize {
        Tensor::elements(self)
    }

    fn decode(&self, first: usize, out: &mut [R]) -> Result<(), ShapeError> {
        Tensor::decode(self, first, out)
    }
}

impl<R: Real> Decode<R> for &[R] {
    fn elements(&self) -> usize {
        self.len()
    }

    fn decode(&self, first: usize, out: &mut [R]) -> Result<(), ShapeError> {
        let Some(elements) = self.get(first..).and_then(|rest| rest.get(..out.len())) else {
            let (expected, found) = (first.saturating_add(out.len()), self.len());
            return Err(ShapeError { operation: "decode", operand: "slice", expected, found });
        };
        out.copy_from_slice(elements);
        Ok(())
    }
}

fn decode_each<R: Real, const N: usize>(
    bytes: &[u8],
    out: &mut [R],
    decode: impl Fn([u8; N]) -> f32,
) {
    for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *out = R::from_f32(decode(bytes));
    }
}
