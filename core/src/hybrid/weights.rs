//! The weights of a model as the forward pass uses them.
//!
//! `W` is a weight as a backend holds it: a borrowed [`Tensor`](crate::numeric::tensor::Tensor) in
//! its storage dtype for the reference, a device buffer elsewhere. [`super::bind`] makes these
//! structures from a checkpoint.

use super::config::{
    AttentionConfig, ChannelMixConfig, GatedMlpConfig, ModelConfig, RgLruConfig, SsdConfig,
    Wkv6Config,
};
use crate::numeric::{linear::Linear, low_rank::LowRank};
use crate::recurrence::causal_conv1d::Conv;
use crate::recurrence::rg_lru::RgLruWeights;
use crate::recurrence::ssd::SsdHeads;
use crate::recurrence::token_shift::DdLerp;

/// The weights of a norm.
#[derive(Clone, Copy, Debug)]
pub enum Norm<W> {
    /// RMSNorm with this weight \[d\].
    Rms(W),
    /// RMSNorm with one more than this weight \[d\].
    RmsOnePlus(W),
    /// LayerNorm with weight and bias \[d\].
    Layer {
        /// Weight.
        weight: W,
        /// Bias.
        bias: W,
    },
}

/// Weights of a Mamba-2 mixer.
#[derive(Clone, Copy, Debug)]
pub struct SsdWeights<W> {
    /// To z, x, B, C, Δ side by side.
    pub in_proj: Linear<W>,
    /// Over x, B, C.
    pub conv: Conv<W>,
    /// Of the recurrence.
    pub heads: SsdHeads<W>,
    /// Of the gated norm, \[H · P\].
    pub norm: W,
    /// Back to the residual stream.
    pub out_proj: Linear<W>,
}

/// Weights of a Griffin recurrent block.
#[derive(Clone, Copy, Debug)]
pub struct RgLruBlock<W> {
    /// To the branch of the recurrence.
    pub x_proj: Linear<W>,
    /// To the branch of the gate.
    pub y_proj: Linear<W>,
    /// Over the branch of the recurrence.
    pub conv: Conv<W>,
    /// The recurrence.
    pub rg_lru: RgLruWeights<W>,
    /// Back to the residual stream.
    pub out_proj: Linear<W>,
}

/// Weights of RWKV-6's time mix.
#[derive(Clone, Copy, Debug)]
pub struct Wkv6Weights<W> {
    /// The data-dependent token shift.
    pub shift: DdLerp<W>,
    /// To r.
    pub receptance: Linear<W>,
    /// To k.
    pub key: Linear<W>,
    /// To v.
    pub value: Linear<W>,
    /// To g.
    pub gate: Linear<W>,
    /// To d, the log of the rate of decay.
    pub decay: LowRank<W>,
    /// u \[H, K\].
    pub bonus: W,
    /// Weight and bias of the norm over each head, \[H · K\].
    pub norm: (W, W),
    /// Back to the residual stream.
    pub out_proj: Linear<W>,
}

/// The projections to queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub enum Qkv<W> {
    /// One matrix with the rows of q, k, v (mamba_ssm).
    Fused(Linear<W>),
    /// Three matrices, in the order q, k, v (LLaMA).
    Split([Linear<W>; 3]),
}

/// Weights of an attention mixer.
#[derive(Clone, Copy, Debug)]
pub struct AttentionWeights<W> {
    /// To q, k, v.
    pub qkv: Qkv<W>,
    /// Over q, k, v.
    pub conv: Option<Conv<W>>,
    /// Back to the residual stream.
    pub out_proj: Linear<W>,
}

/// The first projections of a gated MLP.
#[derive(Clone, Copy, Debug)]
pub enum UpGate<W> {
    /// One matrix with the rows of the values, then those of the gate (mamba_ssm).
    Fused(Linear<W>),
    /// Two matrices, values and gate (LLaMA).
    Split([Linear<W>; 2]),
}

/// Weights of a gated MLP.
#[derive(Clone, Copy, Debug)]
pub struct GatedMlpWeights<W> {
    /// To values and gate.
    pub up_gate: UpGate<W>,
    /// Back to the residual stream.
    pub down: Linear<W>,
}

/// Weights of RWKV-6's channel mix.
#[derive(Clone, Copy, Debug)]
pub struct ChannelMixWeights<W> {
    /// Proportions of the token shift for key and receptance, each \[d\].
    pub shift: [W; 2],
    /// To the hidden width.
    pub key: Linear<W>,
    /// From the hidden width.
    pub value: Linear<W>,
    /// To the gate of the output.
    pub receptance: Linear<W>,
}

/// What mixes tokens in a layer: its sizes and its weights.
#[derive(Clone, Copy, Debug)]
pub enum MixerWeights<W> {
    /// Mamba-2's recurrence.
    Ssd(SsdConfig, SsdWeights<W>),
    /// Griffin's recurrence.
    RgLru(RgLruConfig, RgLruBlock<W>),
    /// RWKV-6's recurrence.
    Wkv6(Wkv6Config, Wkv6Weights<W>),
    /// Softmax attention.
    Attention(AttentionConfig, AttentionWeights<W>),
}

/// What follows the mixer: its sizes and its weights.
#[derive(Clone, Copy, Debug)]
pub enum FeedForwardWeights<W> {
    /// A gated MLP.
    Gated(GatedMlpConfig, GatedMlpWeights<W>),
    /// RWKV-6's channel mix.
    ChannelMix(ChannelMixConfig, ChannelMixWeights<W>),
}

/// One layer: norm and mixer, then, in some families, norm and MLP.
#[derive(Clone, Copy, Debug)]
pub struct Layer<W> {
    /// Before the mixer.
    pub norm: Norm<W>,
    /// The mixer.
    pub mixer: MixerWeights<W>,
    /// The norm before what follows, and that.
    pub feed_forward: Option<(Norm<W>, FeedForwardWeights<W>)>,
}

/// What comes before the first layer and after the last.
#[derive(Clone, Copy, Debug)]
pub struct Ends<W> {
    /// \[vocabulary, d\].
    pub embedding: W,
    /// Of the embedding (RWKV).
    pub embedding_norm: Option<Norm<W>>,
    /// The final norm.
    pub norm: Norm<W>,
    /// \[vocabulary, d\]; the embedding where the two are tied. Without bias.
    pub head: Linear<W>,
}

/// A whole model. The layers lie wherever the caller keeps them.
#[derive(Clone, Copy, Debug)]
pub struct Model<'m, W> {
    /// Its sizes.
    pub config: &'m ModelConfig,
    /// Embedding, final norm and head.
    pub ends: &'m Ends<W>,
    /// One entry a layer, in order.
    pub layers: &'m [Layer<W>],
}
