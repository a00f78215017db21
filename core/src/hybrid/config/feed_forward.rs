//! What follows the mixer of a layer.

use super::error::{ConfigError, positive, representable};
use crate::numeric::activation::Activation;
use crate::scratch::Widths;

/// The part of a layer that works on every token by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedForward {
    /// A gated MLP.
    Gated(GatedMlpConfig),
    /// RWKV's channel mix, which also sees the token before.
    ChannelMix(ChannelMixConfig),
}

/// A gated MLP (Shazeer 2020): down(up(n) ⊙ f(gate(n))).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatedMlpConfig {
    /// F, the hidden width.
    pub hidden: usize,
    /// f.
    pub activation: Activation,
    /// Whether the three projections have a bias.
    pub bias: bool,
}

/// RWKV-6's channel mix (Peng et al. 2024, §4.2): σ(receptance(nʳ)) ⊙ value(max(key(nᵏ), 0)²).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelMixConfig {
    /// F, the hidden width.
    pub hidden: usize,
}

impl FeedForward {
    /// Columns of the scratch buffers, in a model of that width.
    pub(crate) const fn widths(&self, width: usize) -> Widths {
        match self {
            Self::Gated(mlp) => {
                Widths { projected: mlp.hidden.saturating_mul(2), convolved: 0, mixed: mlp.hidden }
            }
            Self::ChannelMix(mix) => Widths {
                projected: mix.hidden.saturating_add(width),
                convolved: width.saturating_mul(2),
                mixed: width,
            },
        }
    }

    /// Elements of one sequence's state, in a model of that width.
    pub(crate) const fn state_elements(&self, width: usize) -> usize {
        match self {
            Self::Gated(_) => 0,
            Self::ChannelMix(_) => width,
        }
    }

    pub(super) fn check(&self, width: usize) -> Result<(), ConfigError> {
        let hidden = match self {
            Self::Gated(mlp) => mlp.hidden,
            Self::ChannelMix(mix) => mix.hidden,
        };
        positive("MLP width", hidden)?;
        representable("MLP", hidden.saturating_mul(2).saturating_mul(width))
    }
}
