//! Operations on every row by itself.

use super::{Columns, Storage};
use crate::numeric::activation::GluDims;
use crate::numeric::linear::{Linear, LinearDims};
use crate::numeric::low_rank::{LowRank, LowRankDims};
use crate::numeric::norm::{GatedNormDims, NormDims};

/// Extents of a table look-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmbeddingDims {
    /// Columns of the table.
    pub width: usize,
    /// Factor on every element, rounded to the scalar type; 1 changes nothing.
    pub scale: f64,
}

/// Table look-up: out\[t\] = scale · table\[tokens\[t\]\], \[T, width\].
pub trait Embedding: Storage {
    /// # Errors
    /// Shapes that do not fit; a token beyond the table.
    fn embedding(
        &mut self,
        dims: &EmbeddingDims,
        tokens: &[u32],
        table: &Self::Weight,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// Selection of rows: out\[i\] = x\[rows\[i\]\], each of `width` columns.
pub trait GatherRows: Storage {
    /// # Errors
    /// Shapes that do not fit; a row beyond x.
    fn gather_rows(
        &mut self,
        width: usize,
        rows: &[usize],
        x: &Self::Buffer,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// [`rms_norm`](crate::numeric::norm::rms_norm) of every row, with the weight itself or, if `one_plus`, with
/// 1 + w.
pub trait RmsNorm: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn rms_norm(
        &mut self,
        dims: &NormDims,
        x: &Self::Buffer,
        weight: &Self::Weight,
        one_plus: bool,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// [`layer_norm`](crate::numeric::norm::layer_norm) of every row.
pub trait LayerNorm: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn layer_norm(
        &mut self,
        dims: &NormDims,
        x: &Self::Buffer,
        weight: &Self::Weight,
        bias: &Self::Weight,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// [`gated_rms_norm`](crate::numeric::norm::gated_rms_norm) of every row of x, in place.
pub trait GatedRmsNorm: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn gated_rms_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut Self::Buffer,
        z: Columns<&Self::Buffer>,
        weight: &Self::Weight,
    ) -> Result<(), Self::Error>;
}

/// [`gated_group_norm`](crate::numeric::norm::gated_group_norm) of every row of x, in place.
pub trait GatedGroupNorm: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn gated_group_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut Self::Buffer,
        gate: Columns<&Self::Buffer>,
        weight: &Self::Weight,
        bias: &Self::Weight,
    ) -> Result<(), Self::Error>;
}

/// y = x Wᵀ (+ b) for every row, written or added to some columns of the output.
pub trait LinearMap: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn linear(
        &mut self,
        dims: &LinearDims,
        x: Columns<&Self::Buffer>,
        map: &Linear<Self::Weight>,
        out: Columns<&mut Self::Buffer>,
    ) -> Result<(), Self::Error>;
}

/// [`low_rank`](crate::numeric::low_rank) map of every row: y = b + tanh(x W₁) W₂.
pub trait LowRankMap: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn low_rank(
        &mut self,
        dims: &LowRankDims,
        x: Columns<&Self::Buffer>,
        map: &LowRank<Self::Weight>,
        out: Columns<&mut Self::Buffer>,
    ) -> Result<(), Self::Error>;
}

/// [`gated_linear_unit`](crate::numeric::activation::gated_linear_unit) of every row: up ⊙ f(gate), written
/// or added to `out` \[T, width\].
pub trait GatedLinearUnit: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn gated_linear_unit(
        &mut self,
        dims: &GluDims,
        up: Columns<&Self::Buffer>,
        gate: Columns<&Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// [`squared_relu`](crate::numeric::activation::squared_relu) of some columns of every row, in place.
pub trait SquaredRelu: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn squared_relu(
        &mut self,
        rows: usize,
        width: usize,
        x: Columns<&mut Self::Buffer>,
    ) -> Result<(), Self::Error>;
}

/// [`soft_cap`](crate::numeric::activation::soft_cap) of the first elements, in place.
pub trait SoftCap: Storage {
    /// # Errors
    /// Fewer elements than that.
    fn soft_cap(
        &mut self,
        elements: usize,
        cap: f64,
        x: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}
