//! The mixers: their sizes, and what they take of scratch and state.

use super::error::{ConfigError, multiple, number, positive, representable};
use crate::attention::grouped_query_attention::AttentionDims;
use crate::attention::kv_cache::KvCacheDims;
use crate::recurrence::rg_lru::RgLruDims;
use crate::recurrence::ssd::SsdDims;
use crate::recurrence::token_shift::{DdLerpDims, STREAMS};
use crate::recurrence::wkv6::Wkv6Dims;
use crate::scratch::Widths;

/// What mixes tokens in a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mixer {
    /// A state of fixed size.
    Recurrent(Recurrence),
    /// Softmax attention.
    Attention(AttentionConfig),
}

/// A mixer whose state does not grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recurrence {
    /// Mamba-2's.
    Ssd(SsdConfig),
    /// Griffin's, RecurrentGemma's.
    RgLru(RgLruConfig),
    /// RWKV-6's.
    Wkv6(Wkv6Config),
}

/// Elements of one sequence's state in one mixer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MixerState {
    /// The last inputs of its convolution or token shift.
    pub(crate) inputs: usize,
    /// What its recurrence carries.
    pub(crate) recurrence: usize,
    /// Its cache.
    pub(crate) kv: KvCacheDims,
}

impl Mixer {
    /// Columns of the scratch buffers, in a model of that width.
    pub(crate) const fn widths(&self, width: usize) -> Widths {
        match self {
            Self::Recurrent(Recurrence::Ssd(ssd)) => Widths {
                projected: ssd.projected(),
                convolved: ssd.dims.xbc_width(),
                mixed: ssd.dims.inner(),
            },
            Self::Recurrent(Recurrence::RgLru(RgLruConfig { dims, .. })) => Widths {
                projected: dims.channels.saturating_mul(2),
                convolved: dims.channels,
                mixed: dims.channels,
            },
            Self::Recurrent(Recurrence::Wkv6(wkv6)) => Widths {
                projected: wkv6.dims.width().saturating_mul(STREAMS),
                convolved: width.saturating_mul(STREAMS),
                mixed: wkv6.dims.width(),
            },
            Self::Attention(attention) => {
                let projected = attention.dims.qkv_width();
                let convolved = if attention.conv_width > 0 { projected } else { 0 };
                Widths { projected, convolved, mixed: attention.dims.query_width() }
            }
        }
    }

    /// What a sequence of at most `capacity` tokens leaves, in a model of that width.
    pub(crate) const fn state(&self, width: usize, capacity: usize) -> MixerState {
        let kv = KvCacheDims { rows: 0, width: 0 };
        match self {
            Self::Recurrent(Recurrence::Ssd(ssd)) => MixerState {
                inputs: carried(ssd.dims.xbc_width(), ssd.conv_width),
                recurrence: ssd.dims.state_elements(),
                kv,
            },
            Self::Recurrent(Recurrence::RgLru(RgLruConfig { dims, conv_width })) => MixerState {
                inputs: carried(dims.channels, *conv_width),
                recurrence: dims.channels,
                kv,
            },
            Self::Recurrent(Recurrence::Wkv6(wkv6)) => {
                MixerState { inputs: width, recurrence: wkv6.dims.state_elements(), kv }
            }
            Self::Attention(AttentionConfig { dims, conv_width, .. }) => MixerState {
                inputs: carried(dims.qkv_width(), *conv_width),
                recurrence: 0,
                kv: KvCacheDims::new(dims, capacity),
            },
        }
    }

    pub(super) fn check(&self, width: usize) -> Result<(), ConfigError> {
        match self {
            Self::Recurrent(Recurrence::Ssd(ssd)) => check_ssd(ssd, width),
            Self::Recurrent(Recurrence::RgLru(rg_lru)) => check_rg_lru(rg_lru, width),
            Self::Recurrent(Recurrence::Wkv6(wkv6)) => check_wkv6(wkv6, width),
            Self::Attention(attention) => check_attention(attention, width),
        }
    }
}

/// Inputs that a convolution carries from token to token.
const fn carried(channels: usize, conv: usize) -> usize {
    channels.saturating_mul(conv.saturating_sub(1))
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

/// Griffin's recurrent block (De et al. 2024, §2.3): two projections, convolution and RG-LRU on one, GELU on
/// the other, their product, projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RgLruConfig {
    /// Channels, blocks of the gates.
    pub dims: RgLruDims,
    /// K of the causal convolution; at least 1.
    pub conv_width: usize,
}

/// RWKV-6's time mix (Peng et al. 2024, §4.2): token shift, projections, WKV6, gated norm, projection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wkv6Config {
    /// Heads and their channels.
    pub dims: Wkv6Dims,
    /// Rank of the token shift's proportions.
    pub shift_rank: usize,
    /// Rank of the decay.
    pub decay_rank: usize,
    /// ε of the norm over each head's output.
    pub norm_epsilon: f64,
}

impl Wkv6Config {
    /// The token shift of a model of that width.
    pub const fn shift(&self, width: usize) -> DdLerpDims {
        DdLerpDims { channels: width, rank: self.shift_rank }
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
    /// A fault of mamba_ssm, reproduced: a prompt leaves the convolution's outputs in its state
    /// ([`ConvDims::prompt_leaves_outputs`](crate::recurrence::causal_conv1d::ConvDims)).
    pub prompt_leaves_conv_outputs: bool,
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
    let AttentionDims { heads, kv_heads, head_dim, scale, window, rotary, rope_base, .. } =
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

fn check_rg_lru(rg_lru: &RgLruConfig, width: usize) -> Result<(), ConfigError> {
    let RgLruDims { channels, blocks } = rg_lru.dims;
    positive("RG-LRU width", channels)?;
    positive("RG-LRU gate blocks", blocks)?;
    positive("RG-LRU convolution width", rg_lru.conv_width)?;
    multiple("RG-LRU width", channels, "gate blocks", blocks)?;
    representable("RG-LRU gates", rg_lru.dims.gate_elements())?;
    representable("RG-LRU convolution", channels.saturating_mul(rg_lru.conv_width))?;
    representable("RG-LRU projection", channels.saturating_mul(width).saturating_mul(2))
}

fn check_wkv6(wkv6: &Wkv6Config, width: usize) -> Result<(), ConfigError> {
    let Wkv6Config { dims, shift_rank, decay_rank, norm_epsilon } = *wkv6;
    positive("WKV6 heads", dims.heads)?;
    positive("WKV6 head size", dims.head_dim)?;
    positive("rank of the token shift", shift_rank)?;
    positive("rank of the decay", decay_rank)?;
    number("WKV6 norm epsilon", norm_epsilon)?;
    representable("WKV6 state", dims.state_elements())?;
    let rank = shift_rank.saturating_mul(STREAMS).max(decay_rank);
    representable("low-rank map", rank.saturating_mul(width.max(dims.width())))?;
    representable("WKV6 projection", dims.width().saturating_mul(width).saturating_mul(STREAMS))
}
