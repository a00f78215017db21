//! What a checkpoint is made of: every size that a forward pass needs.
//!
//! The host builds a [`ModelConfig`] from a checkpoint's `config.json`; nothing here has a default.

use core::fmt;

use crate::attention::grouped_query_attention::AttentionDims;
use crate::recurrence::ssd::SsdDims;

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

impl Family {
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

/// The most layers a model can have.
pub const MAX_LAYERS: usize = 256;

/// A set of layer numbers below [`MAX_LAYERS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerSet([u64; MAX_LAYERS / 64]);

impl LayerSet {
    /// No layer.
    pub const EMPTY: Self = Self([0; MAX_LAYERS / 64]);

    /// Adds a layer; `false` if its number is not below [`MAX_LAYERS`].
    #[must_use]
    pub fn insert(&mut self, layer: usize) -> bool {
        match self.0.get_mut(layer / 64) {
            Some(word) => {
                *word |= 1 << (layer % 64);
                true
            }
            None => false,
        }
    }

    /// Whether the layer is in the set.
    pub fn contains(&self, layer: usize) -> bool {
        self.0.get(layer / 64).is_some_and(|word| word >> (layer % 64) & 1 == 1)
    }
}

/// What mixes tokens in a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mixer {
    /// Mamba-2's recurrence.
    Ssd(SsdConfig),
    /// Softmax attention.
    Attention(AttentionConfig),
}

/// A Mamba-2 mixer (Dao and Gu 2024, §7): projection, convolution, SSD, gated norm, projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsdConfig {
    /// Heads, channels, state size, groups.
    pub dims: SsdDims,
    /// K of the causal convolution over x, B and C; at least 1.
    pub conv_width: usize,
    /// Whether the convolution has a bias.
    pub conv_bias: bool,
    /// Whether the input and output projections have a bias.
    pub projection_bias: bool,
}

impl SsdConfig {
    /// Rows of `in_proj`: z, x, B, C and Δ side by side.
    pub const fn projected(&self) -> usize {
        let z_and_dt = self.dims.inner().saturating_add(self.dims.heads);
        z_and_dt.saturating_add(self.dims.xbc_width())
    }
}

/// An attention mixer: projection, in some models a convolution, rotary attention, projection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionConfig {
    /// Heads, channels, scale, window, rotary embedding.
    pub dims: AttentionDims,
    /// K of the causal convolution over q, k and v; 0 for none.
    pub conv_width: usize,
    /// Whether the q, k, v projections have a bias.
    pub qkv_bias: bool,
    /// Whether the output projection has a bias.
    pub out_bias: bool,
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
    /// Whether the output head is the embedding.
    pub tied_head: bool,
    /// ε of every norm.
    pub norm_epsilon: f64,
    /// The layers whose mixer is `attention`; all others have `ssd`.
    pub attention_layers: LayerSet,
    /// The Mamba-2 mixer, if any layer has one.
    pub ssd: Option<SsdConfig>,
    /// The attention mixer, if any layer has one.
    pub attention: Option<AttentionConfig>,
    /// F, the hidden width of the gated MLP after every mixer; `None` without MLPs.
    pub mlp_hidden: Option<usize>,
}

impl ModelConfig {
    /// The mixer of a layer; `None` if the configuration lacks that kind.
    pub fn mixer(&self, layer: usize) -> Option<Mixer> {
        if self.attention_layers.contains(layer) {
            self.attention.map(Mixer::Attention)
        } else {
            self.ssd.map(Mixer::Ssd)
        }
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
        if !(self.norm_epsilon >= 0.0 && self.norm_epsilon.is_finite()) {
            return Err(ConfigError::NotANumber { what: "norm epsilon" });
        }
        representable("embedding", self.vocabulary.saturating_mul(self.width))?;
        if let Some(hidden) = self.mlp_hidden {
            positive("MLP width", hidden)?;
            representable("MLP", hidden.saturating_mul(2).saturating_mul(self.width))?;
        }
        for layer in 0..self.layers {
            if self.mixer(layer).is_none() {
                return Err(ConfigError::NoMixer { layer });
            }
        }
        self.ssd.map_or(Ok(()), |ssd| check_ssd(&ssd, self.width))?;
        self.attention.map_or(Ok(()), |attention| check_attention(&attention, self.width))
    }
}

fn check_ssd(ssd: &SsdConfig, width: usize) -> Result<(), ConfigError> {
    let SsdDims { heads, head_dim, state, groups } = ssd.dims;
    positive("SSD heads", heads)?;
    positive("SSD head size", head_dim)?;
    positive("SSD state size", state)?;
    positive("SSD groups", groups)?;
    positive("SSD convolution width", ssd.conv_width)?;
    multiple("SSD heads", heads, "groups", groups)?;
    representable("SSD state", ssd.dims.state_elements())?;
    representable("SSD convolution", ssd.dims.xbc_width().saturating_mul(ssd.conv_width))?;
    representable("SSD projection", ssd.projected().saturating_mul(width))
}

fn check_attention(attention: &AttentionConfig, width: usize) -> Result<(), ConfigError> {
    let AttentionDims { heads, kv_heads, head_dim, scale, window, rotary, rope_base } =
        attention.dims;
    positive("attention heads", heads)?;
    positive("key-value heads", kv_heads)?;
    positive("attention head size", head_dim)?;
    positive("attention window", window.unwrap_or(1))?;
    multiple("attention heads", heads, "key-value heads", kv_heads)?;
    multiple("rotary dimensions", rotary, "a pair", 2)?;
    if rotary > head_dim {
        return Err(ConfigError::TooLarge { what: "rotary dimensions" });
    }
    if !(scale.is_finite() && rope_base > 0.0 && rope_base.is_finite()) {
        return Err(ConfigError::NotANumber { what: "attention scale or rotary base" });
    }
    let conv = attention.dims.qkv_width().saturating_mul(attention.conv_width);
    representable("attention convolution", conv)?;
    representable("attention projection", attention.dims.qkv_width().saturating_mul(width))
}

fn positive(what: &'static str, value: usize) -> Result<(), ConfigError> {
    if value == 0 { Err(ConfigError::Zero { what }) } else { Ok(()) }
}

fn multiple(
    what: &'static str,
    value: usize,
    of: &'static str,
    divisor: usize,
) -> Result<(), ConfigError> {
    if value.is_multiple_of(divisor) {
        Ok(())
    } else {
        Err(ConfigError::NotAMultiple { what, value, of, divisor })
    }
}

/// Products are formed with saturation; the maximum means that one overflowed.
fn representable(what: &'static str, elements: usize) -> Result<(), ConfigError> {
    if elements == usize::MAX { Err(ConfigError::TooLarge { what }) } else { Ok(()) }
}

/// Why a [`ModelConfig`] describes no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A size is zero.
    Zero {
        /// Which size.
        what: &'static str,
    },
    /// A size, or a product of sizes, is out of range.
    TooLarge {
        /// Which size.
        what: &'static str,
    },
    /// A constant is negative, infinite or NaN.
    NotANumber {
        /// Which constant.
        what: &'static str,
    },
    /// A size must be a multiple of another.
    NotAMultiple {
        /// Which size.
        what: &'static str,
        /// Its value.
        value: usize,
        /// What it must be a multiple of.
        of: &'static str,
        /// The value of that.
        divisor: usize,
    },
    /// A layer has no mixer.
    NoMixer {
        /// The layer's number, from 0.
        layer: usize,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero { what } => write!(f, "{what} is 0"),
            Self::TooLarge { what } => write!(f, "{what} is out of range"),
            Self::NotANumber { what } => write!(f, "{what} is not a usable number"),
            Self::NotAMultiple { what, value, of, divisor } => {
                write!(f, "{what} is {value}, not a multiple of {of} ({divisor})")
            }
            Self::NoMixer { layer } => write!(f, "layer {layer} has no mixer"),
        }
    }
}

impl core::error::Error for ConfigError {}
