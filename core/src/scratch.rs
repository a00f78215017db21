//! The buffers that a forward pass works in, given by the caller.

use heapless::Vec;

use crate::error::CapacityError;
use crate::hybrid::config::{MAX_LAYERS, ModelConfig};
use crate::reference::work_elements;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Widths {
    pub(crate) projected: usize,
    pub(crate) convolved: usize,
    pub(crate) mixed: usize,
}

impl Widths {
    const NONE: Self = Self { projected: 0, convolved: 0, mixed: 0 };

    const fn max(self, other: Self) -> Self {
        Self {
            projected: larger(self.projected, other.projected),
            convolved: larger(self.convolved, other.convolved),
            mixed: larger(self.mixed, other.mixed),
        }
    }
}

/// `Ord::max`, which is not const.
pub(crate) const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// What a forward pass of at most `tokens` tokens (over all sequences of its batch) needs. Saturates where a
/// size overflows.
pub const fn scratch(config: &ModelConfig, tokens: usize) -> ScratchElements {
    let mut widest = match &config.feed_forward {
        Some(part) => part.widths(config.width),
        None => Widths::NONE,
    };
    // Const functions cannot iterate.
    let mut layer = 0;
    while layer < config.layers && layer < MAX_LAYERS {
        if let Some(mixer) = config.mixer(layer) {
            widest = widest.max(mixer.widths(config.width));
        }
        layer += 1;
    }
    ScratchElements {
        residual: config.width.saturating_mul(tokens),
        // Rows of the residual stream are gathered there.
        projected: larger(widest.projected, config.width).saturating_mul(tokens),
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
    /// The first projection of a mixer or an MLP; at both ends of the model, rows of the residual stream before their norm.
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

/// Everything that a forward pass works in besides its state, in one array of `N` elements that may be a
/// `static`.
#[derive(Debug, Default)]
pub struct StaticScratch<const N: usize> {
    elements: Vec<f32, N>,
}

/// The pieces of a [`StaticScratch`].
#[derive(Debug)]
pub struct Buffers<'s> {
    /// For [`forward`](crate::hybrid::forward()).
    pub scratch: Scratch<'s, [f32]>,
    /// For [`Reference::new`](crate::reference::Reference::new).
    pub work: &'s mut [f32],
    /// Logits of one row.
    pub logits: &'s mut [f32],
}

/// `N` of a [`StaticScratch`] for calls of at most `tokens` tokens, in sequences of at most `capacity`: scratch,
/// work space of the reference, and one row of logits. Saturates where it overflows.
pub const fn static_scratch(config: &ModelConfig, tokens: usize, capacity: usize) -> usize {
    let work = work_elements(config, capacity).saturating_add(config.vocabulary);
    scratch(config, tokens).total().saturating_add(work)
}

impl<const N: usize> StaticScratch<N> {
    /// Empty.
    pub const fn new() -> Self {
        Self { elements: Vec::new() }
    }

    /// Whether `N` suffices. Where the configuration is const, the compiler can say so:
    /// `const _: () = assert!(StaticScratch::<N>::fits(&CONFIG, 8, 512).is_ok());`
    ///
    /// # Errors
    /// `N` is less than [`static_scratch`].
    pub const fn fits(
        config: &ModelConfig,
        tokens: usize,
        capacity: usize,
    ) -> Result<(), CapacityError> {
        let needed = static_scratch(config, tokens, capacity);
        if needed <= N {
            Ok(())
        } else {
            Err(CapacityError { what: "static scratch", needed, given: N })
        }
    }

    /// The buffers for calls of at most `tokens` tokens, in sequences of at most `capacity`; what they hold does
    /// not matter.
    ///
    /// # Errors
    /// Those of [`Self::fits`].
    pub fn buffers(
        &mut self,
        config: &ModelConfig,
        tokens: usize,
        capacity: usize,
    ) -> Result<Buffers<'_>, CapacityError> {
        Self::fits(config, tokens, capacity)?;
        // Cannot fail: a vector grows up to its capacity.
        let _ = self.elements.resize(N, 0.0);
        let elements = scratch(config, tokens);
        let (logits, rest) = self.elements.split_at_mut(config.vocabulary);
        let (work, arena) = rest.split_at_mut(work_elements(config, capacity));
        Ok(Buffers { scratch: Scratch::carve(&elements, arena)?, work, logits })
    }
}
