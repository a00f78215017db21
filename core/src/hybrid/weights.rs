//! The weights of a model as the forward pass uses them.
//!
//! `W` is a weight as a backend holds it: a borrowed [`Tensor`](crate::numeric::tensor::Tensor) in
//! its storage dtype for the reference, a device buffer elsewhere. [`super::bind`] makes these
//! structures from a checkpoint.

use super::config::{AttentionConfig, ModelConfig, SsdConfig};
use crate::numeric::linear::Linear;
use crate::recurrence::{causal_conv1d::Conv, ssd::SsdHeads};

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

/// Weights of a gated MLP and the norm before it.
#[derive(Clone, Copy, Debug)]
pub struct MlpWeights<W> {
    /// F, the hidden width.
    pub hidden: usize,
    /// Of the norm, \[d\].
    pub norm: W,
    /// To values and gate.
    pub up_gate: UpGate<W>,
    /// Back to the residual stream.
    pub down: Linear<W>,
}

/// What mixes tokens in a layer: its sizes and its weights.
#[derive(Clone, Copy, Debug)]
pub enum MixerWeights<W> {
    /// Mamba-2's recurrence.
    Ssd(SsdConfig, SsdWeights<W>),
    /// Softmax attention.
    Attention(AttentionConfig, AttentionWeights<W>),
}

/// One layer: norm and mixer, then, in some families, norm and MLP.
#[derive(Clone, Copy, Debug)]
pub struct Layer<W> {
    /// Of the norm before the mixer, \[d\].
    pub norm: W,
    /// The mixer.
    pub mixer: MixerWeights<W>,
    /// The MLP and its norm.
    pub mlp: Option<MlpWeights<W>>,
}

/// What comes before the first layer and after the last.
#[derive(Clone, Copy, Debug)]
pub struct Ends<W> {
    /// \[vocabulary, d\].
    pub embedding: W,
    /// Of the final norm, \[d\].
    pub norm: W,
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
