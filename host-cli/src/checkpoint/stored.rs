//! A tensor of an opened checkpoint file.

use std::ops::Range;

use longseq_core::numeric::tensor::Dtype;

/// Where a tensor's elements are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Bytes of the mapped file.
    Mapped(Range<usize>),
    /// A copy, where the file holds them in another order.
    Owned(Vec<u8>),
}

/// A tensor as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The dtype, or the name of one that no weight has.
    pub dtype: Result<Dtype, &'static str>,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// The elements, row major.
    pub elements: Elements,
}
