//! What a backend implements: one small trait an operation, as coarse as the literature's kernels.
//!
//! The forward pass ([`crate::hybrid::forward()`]) is written once over [`Backend`]; a backend knows
//! operations, not models. [`crate::reference::Reference`] implements each trait with the plain function of
//! this crate and is what all other backends are compared with.
//!
//! Activations are \[tokens, channels\], row-major, in buffers of the backend; a buffer may be longer than
//! the operation needs. Every implementation checks its operands with the `check` of the operation's
//! dimensions and returns an error rather than read or write beyond a buffer. A failed operation leaves its
//! outputs and state undefined.

mod rows;
mod sequences;

use core::ops::Range;

use crate::error::{ShapeError, enough};
use crate::state::StateError;

pub use rows::{
    Embedding, EmbeddingDims, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, GatherRows, LayerNorm,
    LinearMap, LowRankMap, RmsNorm, SoftCap, SquaredRelu,
};
pub use sequences::{
    CausalConv1d, GroupedQueryAttention, RgLru, SsdScan, TokenShift, Wkv6Inputs, Wkv6Scan,
};

/// A buffer that knows its size.
pub trait Elements {
    /// How many scalars it holds.
    fn elements(&self) -> usize;
}

impl<R> Elements for [R] {
    fn elements(&self) -> usize {
        self.len()
    }
}

/// Some neighbouring columns of a buffer of rows: row r begins at `r · stride + offset`.
#[derive(Debug)]
pub struct Columns<B> {
    /// The buffer: `&B` to read, `&mut B` to write.
    pub buffer: B,
    /// Elements from one row to the next.
    pub stride: usize,
    /// The first column.
    pub offset: usize,
}

impl<B> Columns<B> {
    /// All columns of a buffer with rows of `width`.
    pub const fn all(buffer: B, width: usize) -> Self {
        Self { buffer, stride: width, offset: 0 }
    }

    /// Columns from `offset` on of a buffer with rows of `stride`.
    pub const fn from(buffer: B, stride: usize, offset: usize) -> Self {
        Self { buffer, stride, offset }
    }

    /// Where `width` columns of one row lie.
    pub const fn row(&self, row: usize, width: usize) -> Range<usize> {
        let start = row * self.stride + self.offset;
        start..start + width
    }

    /// Checks that `rows` rows of `width` columns, at least one, lie within a buffer of `elements`, side by side.
    ///
    /// # Errors
    /// If they do not.
    pub fn check(
        &self,
        (operation, operand): (&'static str, &'static str),
        (rows, width): (usize, usize),
        elements: usize,
    ) -> Result<(), ShapeError> {
        // Of rows without columns any number would fit.
        enough(operation, operand, 1, width)?;
        enough(operation, operand, self.offset.saturating_add(width), self.stride)?;
        enough(operation, operand, rows.saturating_mul(self.stride), elements)
    }
}

/// What a backend computes with.
pub trait Storage {
    /// Scalars of activations and state; may be unsized, it is only ever borrowed.
    type Buffer: Elements + ?Sized;
    /// A weight.
    type Weight;
    /// What can go wrong.
    type Error: From<ShapeError> + From<StateError>;
}

/// Clearing and copying within a slab of state.
pub trait StateMemory: Storage {
    /// Sets elements to 0.
    ///
    /// # Errors
    /// A range beyond the buffer.
    fn clear(&mut self, slab: &mut Self::Buffer, range: Range<usize>) -> Result<(), Self::Error>;

    /// Copies elements to the place that begins at `to`.
    ///
    /// # Errors
    /// A range beyond the buffer.
    fn copy_within(
        &mut self,
        slab: &mut Self::Buffer,
        from: Range<usize>,
        to: usize,
    ) -> Result<(), Self::Error>;
}

/// Everything a forward pass calls.
pub trait Backend:
    Embedding
    + GatherRows
    + RmsNorm
    + LayerNorm
    + GatedRmsNorm
    + GatedGroupNorm
    + LinearMap
    + LowRankMap
    + GatedLinearUnit
    + SquaredRelu
    + SoftCap
    + CausalConv1d
    + TokenShift
    + SsdScan
    + RgLru
    + Wkv6Scan
    + GroupedQueryAttention
    + StateMemory
{
}

impl<T> Backend for T where
    T: Embedding
        + GatherRows
        + RmsNorm
        + LayerNorm
        + GatedRmsNorm
        + GatedGroupNorm
        + LinearMap
        + LowRankMap
        + GatedLinearUnit
        + SquaredRelu
        + SoftCap
        + CausalConv1d
        + TokenShift
        + SsdScan
        + RgLru
        + Wkv6Scan
        + GroupedQueryAttention
        + StateMemory
{
}
