//! How much memory scans in chunks work in.

use std::collections::TryReserveError;

use longseq_core::recurrence::ssd::SsdDims;

use super::{
    super::heads::BLOCK,
    chunk::{Chunks, OWN, Shared, fits},
};
use crate::{
    gemm::{LhsRoom, Line, MR},
    memory::reserve,
};

/// Room for a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Chunks and groups that share something.
    places: usize,
    /// C, and Bᵀ, of each.
    side: LhsRoom,
    /// C Bᵀ of each.
    products: usize,
    /// Of each thread: lines of a panel, of a head's state and of its inputs.
    panel: usize,
    state: usize,
    x: usize,
    /// Elements of its rows.
    rows: usize,
    lhs: LhsRoom,
}

impl Room {
    /// For a scan over at most so many tokens.
    pub fn new(dims: &SsdDims, tokens: usize) -> Self {
        let SsdDims { head_dim, state: n, groups, .. } = *dims;
        if !fits(dims) || tokens < BLOCK {
            return Self::default();
        }
        let pairs = |elements: usize| LhsRoom { pairs: elements / 2, singles: 0 };
        let panels = head_dim / crate::gemm::NR;
        Self {
            places: (tokens / BLOCK + 1).saturating_mul(groups),
            side: pairs(n.saturating_mul(BLOCK)),
            products: BLOCK * BLOCK,
            panel: n.max(BLOCK),
            state: n.saturating_mul(panels),
            x: BLOCK.saturating_mul(panels),
            rows: BLOCK.saturating_mul(head_dim.max(MR)),
            lhs: pairs(MR * BLOCK),
        }
    }

    /// Room for either.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            places: self.places.max(other.places),
            side: self.side.max(other.side),
            products: self.products.max(other.products),
            panel: self.panel.max(other.panel),
            state: self.state.max(other.state),
            x: self.x.max(other.x),
            rows: self.rows.max(other.rows),
            lhs: self.lhs.max(other.lhs),
        }
    }

    /// Bytes of what heads share.
    pub const fn bytes(&self) -> usize {
        let of = self.side.bytes().saturating_mul(2);
        let of = of.saturating_add(self.products.saturating_mul(size_of::<f32>()));
        of.saturating_add(size_of::<Shared>()).saturating_mul(self.places)
    }

    /// Bytes of each thread.
    pub const fn own_bytes(&self) -> usize {
        let lines = self.panel.saturating_add(self.state).saturating_add(self.x);
        let rows = self.rows.saturating_mul(size_of::<f32>());
        lines.saturating_mul(size_of::<Line<u32>>()).saturating_add(rows) + self.lhs.bytes()
    }

    /// Makes room.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve(&self, chunks: &mut Chunks) -> Result<(), TryReserveError> {
        let shared = &mut chunks.shared;
        reserve(shared, self.places)?;
        shared.resize_with(self.places.max(shared.len()), Shared::default);
        shared.iter_mut().try_for_each(|shared| {
            shared.c.reserve(self.side)?;
            shared.b.reserve(self.side)?;
            shared.cb.reserve(self.products)
        })
    }

    /// The same on the calling thread.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve_own(&self) -> Result<(), TryReserveError> {
        OWN.with_borrow_mut(|own| {
            reserve(&mut own.panel, self.panel)?;
            reserve(&mut own.state, self.state)?;
            reserve(&mut own.x, self.x)?;
            own.rows.reserve(self.rows)?;
            own.lhs.reserve(self.lhs)
        })
    }
}
