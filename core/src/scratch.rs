//! The buffers that a forward pass works in, given by the caller.

use crate::error::CapacityError;
use crate::hybrid::config::ModelConfig;

/// Elements of each buffer of [`Scratch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScratchElements {
    /// Of `residual` and of `normed`, each.
    pub residual: usize,
    /// Of `projected`.
    pub projected: usize,
    /// Of `convolved`.
    pub convolved: usize,
    /// Of `mixed`.
    pub mixed: usize,
}

/// Columns of the buffers that a part of a layer works in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Widths {
    pub(crate) projected: usize,
    pub(crate) convolved: usize,
    pub(crate) mixed: usize,
}

impl Widths {
    fn max(self, other: Self) -> Self {
        Self {
            projected: self.projected.max(other.projected),
            convolved: self.convolved.max(other.convolved),
            mixed: self.mixed.max(other.mixed),
        }
    }
}

/// What a forward pass of at most `tokens` tokens (over all sequences of its batch) needs. Saturates where a
/// size overflows.
pub fn scratch(config: &ModelConfig, tokens: usize) -> ScratchElements {
    let mixers = (0..config.layers).filter_map(|layer| config.mixer(layer));
    let feed_forward = config.feed_forward.map(|part| part.widths(config.width));
    let widest = mixers
        .map(|mixer| mixer.widths(config.width))
        .chain(feed_forward)
        .fold(Widths::default(), Widths::max);
    ScratchElements {
        residual: config.width.saturating_mul(tokens),
        projected: widest.projected.saturating_mul(tokens),
        convolved: widest.convolved.saturating_mul(tokens),
        mixed: widest.mixed.saturating_mul(tokens),
    }
}

impl ScratchElements {
    /// Elements of all buffers together. Saturates where they overflow.
    pub const fn total(&self) -> usize {
        let rows = self.residual.saturating_mul(2).saturating_add(self.projected);
        rows.saturating_add(self.convolved).saturating_add(self.mixed)
    }
}

/// The buffers, each \[tokens, channels\]; what they hold before a forward pass does not matter.
#[derive(Debug)]
pub struct Scratch<'s, B: ?Sized> {
    /// The residual stream, \[T, d\].
    pub residual: &'s mut B,
    /// Its norm, \[T, d\].
    pub normed: &'s mut B,
    /// The first projection of a mixer or an MLP.
    pub projected: &'s mut B,
    /// What a convolution or a token shift leaves.
    pub convolved: &'s mut B,
    /// What goes into the last projection of a mixer or an MLP.
    pub mixed: &'s mut B,
}

impl<'s, R> Scratch<'s, [R]> {
    /// Cuts the buffers out of one arena of at least [`ScratchElements::total`] elements.
    ///
    /// # Errors
    /// A smaller arena.
    pub fn carve(elements: &ScratchElements, arena: &'s mut [R]) -> Result<Self, CapacityError> {
        let (needed, given) = (elements.total(), arena.len());
        if given < needed {
            return Err(CapacityError { what: "forward scratch", needed, given });
        }
        let (residual, rest) = arena.split_at_mut(elements.residual);
        let (normed, rest) = rest.split_at_mut(elements.residual);
        let (projected, rest) = rest.split_at_mut(elements.projected);
        let (convolved, rest) = rest.split_at_mut(elements.convolved);
        let (mixed, _) = rest.split_at_mut(elements.mixed);
        Ok(Self { residual, normed, projected, convolved, mixed })
    }
}
