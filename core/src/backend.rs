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

use core::ops::Range;

use crate::attention::grouped_query_attention::AttentionDims;
use crate::attention::kv_cache::KvCacheDims;
use crate::batch::Sequences;
use crate::error::{ShapeError, enough};
use crate::numeric::linear::{Linear, LinearDims};
use crate::numeric::norm::{GatedNormDims, NormDims};
use crate::recurrence::causal_conv1d::{Conv, ConvDims};
use crate::recurrence::ssd::{SsdDims, SsdHeads};
use crate::state::{StateError, StateMut};

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

    /// Checks that `rows` rows of `width` columns lie within a buffer of `elements`, side by side.
    ///
    /// # Errors
    /// If they do not.
    pub fn check(
        &self,
        (operation, operand): (&'static str, &'static str),
        (rows, width): (usize, usize),
        elements: usize,
    ) -> Result<(), ShapeError> {
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

/// Table look-up: out\[t\] = table\[tokens\[t\]\], \[T, `width`\].
pub trait Embedding: Storage {
    /// # Errors
    /// Shapes that do not fit; a token beyond the table.
    fn embedding(
        &mut self,
        width: usize,
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

/// [`rms_norm`](crate::numeric::norm::rms_norm) of every row.
pub trait RmsNorm: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn rms_norm(
        &mut self,
        dims: &NormDims,
        x: &Self::Buffer,
        weight: &Self::Weight,
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

/// y = x Wᵀ (+ b) for every row, written or added to some columns of the output.
pub trait LinearMap: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn linear(
        &mut self,
        dims: &LinearDims,
        x: &Self::Buffer,
        map: &Linear<Self::Weight>,
        out: Columns<&mut Self::Buffer>,
    ) -> Result<(), Self::Error>;
}

/// [`swiglu`](crate::numeric::activation::swiglu) of every row: `up_gate` \[T, 2F\], `out` \[T, F\].
pub trait SwiGlu: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn swiglu(
        &mut self,
        rows: usize,
        hidden: usize,
        up_gate: &Self::Buffer,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// [`causal_conv1d`](crate::recurrence::causal_conv1d) of every sequence, from and to its carried inputs
/// \[C, K−1\]; `out` \[T, C\].
pub trait CausalConv1d: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn causal_conv1d(
        &mut self,
        dims: &ConvDims,
        sequences: &Sequences<'_>,
        x: Columns<&Self::Buffer>,
        conv: &Conv<Self::Weight>,
        state: StateMut<'_, Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// The [`ssd`](crate::recurrence::ssd) recurrence of every sequence, from and to its state \[H, P, N\]:
/// Δ = softplus(dt + dt_bias), A = −e^A_log. `inputs` are xBC \[T, H·P + 2 G·N\] and dt \[T, H\] before bias and
/// softplus; `y` \[T, H, P\].
pub trait SsdScan: Storage {
    /// # Errors
    /// Shapes that do not fit.
    fn ssd_scan(
        &mut self,
        dims: &SsdDims,
        sequences: &Sequences<'_>,
        inputs: (&Self::Buffer, Columns<&Self::Buffer>),
        heads: &SsdHeads<Self::Weight>,
        state: StateMut<'_, Self::Buffer>,
        y: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}

/// Rotary [`grouped_query_attention`](crate::attention::grouped_query_attention) of every sequence: rotates q
/// and k, adds k and v to the cache, attends. `qkv` \[T, H·D + 2 Hkv·D\], `out` \[T, H, D\].
pub trait GroupedQueryAttention: Storage {
    /// # Errors
    /// Shapes that do not fit; a cache with too few rows.
    fn grouped_query_attention(
        &mut self,
        dims: &AttentionDims,
        sequences: &Sequences<'_>,
        qkv: &Self::Buffer,
        kv: &KvCacheDims,
        cache: StateMut<'_, Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
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
    + GatedRmsNorm
    + LinearMap
    + SwiGlu
    + CausalConv1d
    + SsdScan
    + GroupedQueryAttention
    + StateMemory
{
}

impl<T> Backend for T where
    T: Embedding
        + GatherRows
        + RmsNorm
        + GatedRmsNorm
        + LinearMap
        + SwiGlu
        + CausalConv1d
        + SsdScan
        + GroupedQueryAttention
        + StateMemory
{
}
