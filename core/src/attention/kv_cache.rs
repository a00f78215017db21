//! Keys and values of the tokens that a sequence can still look back at.

use super::grouped_query_attention::AttentionDims;

/// Extents of one layer's cache of one sequence: keys \[rows, Hkv, D\], then values \[rows, Hkv, D\].
///
/// The token at position p has row p mod rows. Without a window there is a row for every position; with
/// one, W rows suffice, because a new token takes the row of the token that falls out of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvCacheDims {
    /// Tokens held.
    pub rows: usize,
    /// Hkv · D.
    pub width: usize,
}

impl KvCacheDims {
    /// For sequences of at most `capacity` tokens.
    pub const fn new(attention: &AttentionDims, capacity: usize) -> Self {
        let rows = match attention.window {
            Some(window) if window < capacity => window,
            _ => capacity,
        };
        Self { rows, width: attention.kv_width() }
    }

    /// Elements of keys and values together.
    pub const fn elements(&self) -> usize {
        self.rows.saturating_mul(self.width).saturating_mul(2)
    }

    /// Where the key of the token at `position` begins within the keys, and its value within the values.
    pub const fn offset(&self, position: usize) -> usize {
        // With no rows there is nothing to be addressed.
        match position.checked_rem(self.rows) {
            Some(row) => row.saturating_mul(self.width),
            None => 0,
        }
    }
}
