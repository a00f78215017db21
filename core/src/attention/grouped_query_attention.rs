//! Causal softmax attention with shared key-value heads, optionally windowed.

/// Extents and constants of one attention layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionDims {
    /// H, query heads, a multiple of `kv_heads`.
    pub heads: usize,
    /// Hkv, key and value heads.
    pub kv_heads: usize,
    /// D, channels of a head.
    pub head_dim: usize,
    /// Factor on q·k, usually 1/√D.
    pub scale: f64,
    /// W, how many keys a query sees, itself included; `None` for all.
    pub window: Option<usize>,
    /// r, how many leading channels of a head are rotated; even, at most D, 0 for none.
    pub rotary: usize,
    /// Base of the rotary frequencies.
    pub rope_base: f64,
}

impl AttentionDims {
    /// H · D, the width of queries and of the output.
    pub const fn query_width(&self) -> usize {
        self.heads.saturating_mul(self.head_dim)
    }

    /// Hkv · D, the width of keys and of values.
    pub const fn kv_width(&self) -> usize {
        self.kv_heads.saturating_mul(self.head_dim)
    }

    /// D · (H + 2 Hkv), the width of q, k and v side by side.
    pub const fn qkv_width(&self) -> usize {
        self.query_width().saturating_add(self.kv_width().saturating_mul(2))
    }
}
