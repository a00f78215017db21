//! What a checkpoint is made of: every size that a forward pass needs.
//!
//! The host builds a [`ModelConfig`] from a checkpoint's `config.json`; nothing here has a default.

mod error;
mod feed_forward;
mod layer_set;
mod mixer;

use core::fmt;

use self::error::{number, positive, representable};

pub use error::ConfigError;
pub use feed_forward::{ChannelMixConfig, FeedForward, GatedMlpConfig};
pub use layer_set::{LayerSet, MAX_LAYERS};
pub(crate) use mixer::MixerState;
pub use mixer::{AttentionConfig, Mixer, Recurrence, RgLruConfig, SsdConfig, Wkv6Config};

/// The model families, named as in the paper's list of systems (Huang 2025).
///
/// A family adds itself to this list, its mixers to [`Mixer`], their tensors to [`super::weights`] and
/// their state to [`crate::state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Mamba-2: recurrence only (state-spaces/mamba2-2.7b).
    Mamba2,
    /// Mamba-2 with a few attention layers (state-spaces/mamba2attn-2.7b).
    Mamba2Attention,
    /// Attention and gated MLPs in mamba_ssm's container (state-spaces/transformerpp-2.7b).
    TransformerPlusPlus,
    /// LLaMA in transformers' layout (princeton-nlp/Sheared-LLaMA-2.7B).
    Llama,
    /// RG-LRU recurrence with some layers of local attention (google/recurrentgemma-2b).
    RecurrentGemma,
    /// RWKV-6 "Finch": recurrence only (RWKV/rwkv-6-world-3b-v2.1).
    Rwkv6,
}

/// What mixes the tokens of a family's models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Recurrences only.
    Recurrence,
    /// Recurrences and attention.
    Hybrid,
    /// Attention only.
    Attention,
}

impl Kind {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recurrence => "pure recurrence",
            Self::Hybrid => "hybrid",
            Self::Attention => "attention",
        }
    }
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Mamba2,
        Self::Mamba2Attention,
        Self::TransformerPlusPlus,
        Self::Llama,
        Self::RecurrentGemma,
        Self::Rwkv6,
    ];

    /// What mixes the tokens.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Mamba2 | Self::Rwkv6 => Kind::Recurrence,
            Self::Mamba2Attention | Self::RecurrentGemma => Kind::Hybrid,
            Self::TransformerPlusPlus | Self::Llama => Kind::Attention,
        }
    }

    /// The name in messages and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mamba2 => "Mamba2",
            Self::Mamba2Attention => "Mamba2Attention",
            Self::TransformerPlusPlus => "Transformer++",
            Self::Llama => "LLaMA",
            Self::RecurrentGemma => "RecurrentGemma",
            Self::Rwkv6 => "RWKV-6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Every size of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelConfig {
    /// The family: how tensors are named.
    pub family: Family,
    /// d, the width of the residual stream.
    pub width: usize,
    /// Number of layers, at most [`MAX_LAYERS`].
    pub layers: usize,
    /// Rows of the embedding and of the logits, the padding of mamba_ssm's checkpoints included.
    pub vocabulary: usize,
    /// Factor on embeddings, 1 in most families.
    pub embedding_scale: f64,
    /// Whether the output head is the embedding.
    pub tied_head: bool,
    /// c: logits become c · tanh(logits / c).
    pub logits_soft_cap: Option<f64>,
    /// ε of the norms over the residual stream and of Mamba-2's gated norm.
    pub norm_epsilon: f64,
    /// The layers whose mixer is `attention`; all others have `recurrence`.
    pub attention_layers: LayerSet,
    /// The recurrent mixer, if any layer has one.
    pub recurrence: Option<Recurrence>,
    /// The attention mixer, if any layer has one.
    pub attention: Option<AttentionConfig>,
    /// What follows every mixer, if anything does.
    pub feed_forward: Option<FeedForward>,
}

impl ModelConfig {
    /// The mixer of a layer; `None` if the configuration lacks that kind.
    pub const fn mixer(&self, layer: usize) -> Option<Mixer> {
        match (self.attention_layers.contains(layer), self.attention, self.recurrence) {
            (true, Some(attention), _) => Some(Mixer::Attention(attention)),
            (false, _, Some(recurrence)) => Some(Mixer::Recurrent(recurrence)),
            _ => None,
        }
    }

    /// Whether a slot's first call must hold its whole prompt, because a reproduced fault of a library depends
    /// on where the prompt ends.
    pub fn reads_prompts_whole(&self) -> bool {
        self.attention.is_some_and(|attention| {
            attention.dims.cuts_prompt || attention.prompt_leaves_conv_outputs
        })
    }

    /// Checks what the forward pass relies on.
    ///
    /// # Errors
    /// The first quantity that cannot be right.
    pub fn check(&self) -> Result<(), ConfigError> {
        positive("width", self.width)?;
        positive("layers", self.layers)?;
        positive("vocabulary", self.vocabulary)?;
        if self.layers > MAX_LAYERS {
            return Err(ConfigError::TooLarge { what: "layers" });
        }
        number("norm epsilon", self.norm_epsilon)?;
        number("embedding scale", self.embedding_scale)?;
        if self.logits_soft_cap.is_some_and(|cap| !(cap > 0.0 && cap.is_finite())) {
            return Err(ConfigError::NotANumber { what: "soft cap of the logits" });
        }
        representable("embedding", self.vocabulary.saturating_mul(self.width))?;
        for layer in 0..self.layers {
            if self.mixer(layer).is_none() {
                return Err(ConfigError::NoMixer { layer });
            }
        }
        let mixers = [self.recurrence.map(Mixer::Recurrent), self.attention.map(Mixer::Attention)];
        mixers.iter().flatten().try_for_each(|mixer| mixer.check(self.width))?;
        self.feed_forward.map_or(Ok(()), |feed_forward| feed_forward.check(self.width))
    }
}
