//! The buffers that a forward pass works in, given by the caller.

use crate::error::CapacityError;
use crate::hybrid::config::{Mixer, ModelConfig};

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

/// What a forward pass of at most `tokens` tokens (over all sequences of its batch) needs. Saturates where a
/// size overflows.
pub fn scratch(config: &ModelConfig, tokens: usize) -> ScratchElements {
    let (mut projected, mut convolved, mut mixed) = (0, 0, 0);
    for mixer in (0..config.layers).filter_map(|layer| config.mixer(layer)) {
        let (wide, conv, narrow) = match mixer {
            Mixer::Ssd(ssd) => (ssd.projected(), ssd.dims.xbc_width(), ssd.dims.inner()),
            Mixer::Attention(attention) => {
                let qkv = attention.dims.qkv_width();
                let conv = if attention.conv_width > 0 { qkv } else { 0 };
                (qkv, conv, attention.dims.query_width())
            }
        };
        (projected, convolved, mixed) =
            (wide.max(projected), conv.max(convolved), narrow.max(mixed));
    }
    if let Some(hidden) = config.mlp_hidden {
        (projected, mixed) = (hidden.saturating_mul(2).max(projected), hidden.max(mixed));
    }
    ScratchElements {
        residual: config.width.saturating_mul(tokens),
        projected: projected.saturating_mul(tokens),
        convolved: convolved.saturating_mul(tokens),
        mixed: mixed.saturating_mul(tokens),
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
    /// What a convolution leaves.
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
