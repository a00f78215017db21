//! What the reference backend shows of a forward pass while it computes: where attention looks, and how fast states forget.

use core::fmt;
use core::ops::Range;

/// Looks on. Layers come in order, each mixer once in every forward pass.
///
/// A recurrent state S of one unit goes from token to token as S ← aₜ S + (what token t writes), so of what token s wrote
/// ∏ aₜ over s < t ≤ u is left when u has been read. A unit is what has a decay of its own: a head in Mamba-2, a channel in
/// RG-LRU, a channel of the key in WKV6.
pub trait Observe<R>: fmt::Debug {
    /// A mixer begins: that of the next layer, or in the next forward pass of the first one.
    fn mixer(&mut self);

    /// Whether the softmax weights of the token at `position` are wanted.
    fn wants(&self, position: usize) -> bool;

    /// Softmax weights of a head, from the token asked for to each of the positions `seen`.
    fn attention(&mut self, head: usize, seen: Range<usize>, weights: &[R]);

    /// ln aₜ of a unit at a position, at most 0.
    fn log_decay(&mut self, position: usize, unit: usize, log_decay: R);
}
