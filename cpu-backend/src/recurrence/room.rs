//! How much memory recurrences work in.

use std::collections::TryReserveError;

use longseq_core::{
    hybrid::config::{Recurrence, RgLruConfig},
    recurrence::token_shift::STREAMS,
};

use super::{
    heads::{self, BLOCK},
    ssd, wkv6,
};

/// Vectors of a tile, at most.
const SIDE: usize = 16;

/// Room for the operations of recurrent mixers, in elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Of `between`.
    pub between: usize,
    /// Ranks of low-rank maps, side by side where they are computed together.
    pub rank: usize,
    /// Of each thread, for scans of heads.
    heads: usize,
    /// For scans in chunks.
    pub chunks: ssd::Room,
}

impl Room {
    /// For a mixer in a model of that width; `pairs` says whether it multiplies in bf16.
    pub fn new(recurrence: &Recurrence, width: usize, tokens: usize, pairs: bool) -> Self {
        let block = BLOCK.min(tokens);
        match recurrence {
            Recurrence::Ssd(of) => {
                let own = ssd::work(&of.dims, block, SIDE);
                let chunks =
                    if pairs { ssd::Room::new(&of.dims, tokens) } else { ssd::Room::default() };
                let between = tokens.saturating_mul(of.dims.inner());
                Self { between, heads: own, chunks, ..Self::default() }
            }
            Recurrence::RgLru(RgLruConfig { dims, .. }) => {
                let gates = tokens.saturating_mul(dims.channels).saturating_mul(2);
                let between = dims.channels.saturating_add(gates);
                Self { between, ..Self::default() }
            }
            Recurrence::Wkv6(of) => {
                let shift = of.shift_rank.saturating_mul(STREAMS);
                let row = width.saturating_add(shift).max(of.decay_rank).max(of.dims.width());
                let own = wkv6::work(&of.dims, block, SIDE);
                Self {
                    between: tokens.saturating_mul(row),
                    rank: shift.max(of.decay_rank),
                    heads: own,
                    ..Self::default()
                }
            }
        }
    }

    /// Room for either.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            between: self.between.max(other.between),
            rank: self.rank.max(other.rank),
            heads: self.heads.max(other.heads),
            chunks: self.chunks.max(other.chunks),
        }
    }

    /// Bytes of each thread.
    pub const fn own_bytes(&self) -> usize {
        self.heads.saturating_mul(size_of::<f32>()).saturating_add(self.chunks.own_bytes())
    }

    /// Makes room on the calling thread.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve_own(&self) -> Result<(), TryReserveError> {
        heads::OWN.with_borrow_mut(|own| own.reserve(self.heads))?;
        self.chunks.reserve_own()
    }
}
