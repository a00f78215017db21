//! How much memory products work in.

use std::collections::TryReserveError;

use super::{
    LhsRoom, MR, NR,
    driver::{FEW_ROWS, MOST_BLOCKS, OWN},
};
use crate::{isa::Isa, memory::Kinds};

/// Room for products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Of the left side, where it is short.
    pub lhs: LhsRoom,
    /// Elements of `work`.
    pub work: usize,
    /// Of each thread's left side.
    pub own: LhsRoom,
}

impl Room {
    /// For products of at most `rows` rows of at most `inputs` elements with matrices of these kinds that have at most
    /// `outputs` columns.
    pub fn new(isa: Isa, kinds: Kinds, (rows, inputs, outputs): (usize, usize, usize)) -> Self {
        let few = rows.min(FEW_ROWS);
        let many = if rows > FEW_ROWS { MOST_BLOCKS * MR } else { 0 };
        Self {
            lhs: LhsRoom::new(isa, kinds, (few, inputs)),
            work: few.saturating_mul(outputs.next_multiple_of(NR)),
            own: LhsRoom::new(isa, kinds, (many, inputs)),
        }
    }

    /// Room for either.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            lhs: self.lhs.max(other.lhs),
            work: self.work.max(other.work),
            own: self.own.max(other.own),
        }
    }

    /// Makes room on the calling thread.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve_own(&self) -> Result<(), TryReserveError> {
        OWN.with_borrow_mut(|own| own.reserve(self.own))
    }
}
