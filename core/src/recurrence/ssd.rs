//! The structured state-space dual of Mamba-2 (Dao and Gu 2024).

/// Extents of one SSD layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsdDims {
    /// H, heads.
    pub heads: usize,
    /// P, channels of a head.
    pub head_dim: usize,
    /// N, state size of a channel.
    pub state: usize,
    /// G, groups of heads that share B and C; divides H.
    pub groups: usize,
}

impl SsdDims {
    /// H · P, the width of x and y.
    pub const fn inner(&self) -> usize {
        self.heads.saturating_mul(self.head_dim)
    }

    /// G · N, the width of B and of C.
    pub const fn group_width(&self) -> usize {
        self.groups.saturating_mul(self.state)
    }

    /// H · P + 2 G · N, the width of x, B and C side by side.
    pub const fn xbc_width(&self) -> usize {
        self.inner().saturating_add(self.group_width().saturating_mul(2))
    }

    /// H · P · N, elements of the state.
    pub const fn state_elements(&self) -> usize {
        self.inner().saturating_mul(self.state)
    }
}
