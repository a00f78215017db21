//! Binds a checkpoint's tensors to a configuration: every tensor is asked for by its on-disk name
//! and must have the shape that the configuration implies.
//!
//! [`bind_ends`] and, for each layer, [`bind_layer`] ask for every tensor that belongs to the model,
//! tied copies included, so that a source that remembers the names can tell what is left over.
#![expect(clippy::result_large_err, reason = "bound once; the error holds a name without a heap")]

use core::fmt::{self, Write};

use super::config::{AttentionConfig, Family, Mixer, ModelConfig, SsdConfig};
use super::weights::{
    AttentionWeights, Ends, Layer, MixerWeights, MlpWeights, Qkv, SsdWeights, UpGate,
};
use crate::numeric::linear::Linear;
use crate::numeric::tensor::{MAX_RANK, Tensor};
use crate::recurrence::{causal_conv1d::Conv, ssd::SsdHeads};

/// Where tensors come from: a mapped checkpoint, flash.
pub trait WeightSource<'a> {
    /// The tensor of that name, if there is one.
    fn tensor(&self, name: &str) -> Option<Tensor<'a>>;
}

/// A tensor's on-disk name. The longest that is asked for has 51 characters.
pub type TensorName = heapless::String<96>;

/// A shape.
pub type Shape = heapless::Vec<usize, MAX_RANK>;

/// Why a checkpoint does not fit its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindError {
    /// A tensor is not there.
    Missing {
        /// Its name.
        name: TensorName,
        /// The shape it should have.
        expected: Shape,
    },
    /// A tensor has another shape than the configuration implies.
    Shape {
        /// Its name.
        name: TensorName,
        /// The shape it should have.
        expected: Shape,
        /// The shape it has.
        found: Shape,
    },
    /// The configuration has no mixer for this layer.
    NoMixer {
        /// The layer's number, from 0.
        layer: usize,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, expected } => {
                write!(f, "tensor {name}, of shape {expected:?}, is missing")
            }
            Self::Shape { name, expected, found } => write!(
                f,
                "tensor {name} has shape {found:?}, but the configuration implies {expected:?}"
            ),
            Self::NoMixer { layer } => write!(f, "layer {layer} has no mixer"),
        }
    }
}

impl core::error::Error for BindError {}

type Bound<T> = Result<T, BindError>;

/// Embedding, final norm and head.
///
/// # Errors
/// The first tensor that is missing or mis-shaped, by name.
pub fn bind_ends<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
) -> Bound<Ends<Tensor<'a>>> {
    let (embedding, norm) = match config.family {
        Family::Llama => ("model.embed_tokens", "model.norm"),
        _ => ("backbone.embedding", "backbone.norm_f"),
    };
    let table = [config.vocabulary, config.width];
    let norm = tensor(source, format_args!("{norm}.weight"), &[config.width])?;
    let embedding = tensor(source, format_args!("{embedding}.weight"), &table)?;
    // A tied head may be stored all the same; the embedding is what counts.
    let head = match tensor(source, format_args!("lm_head.weight"), &table) {
        Err(BindError::Missing { .. }) if config.tied_head => embedding,
        Ok(_) if config.tied_head => embedding,
        head => head?,
    };
    Ok(Ends { embedding, norm, head: Linear { weight: head, bias: None } })
}

/// One layer, counted from 0.
///
/// # Errors
/// The first tensor that is missing or mis-shaped, by name; a layer without a mixer.
pub fn bind_layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    let mixer = config.mixer(layer).ok_or(BindError::NoMixer { layer })?;
    match config.family {
        Family::Llama => llama_layer(config, mixer, source, layer),
        _ => mamba_ssm_layer(config, mixer, source, layer),
    }
}

/// A layer as mamba_ssm names it (state-spaces/mamba, `MambaLMHeadModel`).
fn mamba_ssm_layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    mixer: Mixer,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    let d = config.width;
    let names = Names { source, stem: "backbone.layers", layer };
    let mixer = match mixer {
        Mixer::Ssd(ssd) => MixerWeights::Ssd(ssd, names.ssd(&ssd, d)?),
        Mixer::Attention(attention) => {
            MixerWeights::Attention(attention, names.fused_attention(&attention, d)?)
        }
    };
    let mlp = |hidden: usize| {
        Ok(MlpWeights {
            hidden,
            norm: names.tensor(format_args!("norm2.weight"), &[d])?,
            up_gate: UpGate::Fused(names.linear("mlp.fc1", [2 * hidden, d], false)?),
            down: names.linear("mlp.fc2", [d, hidden], false)?,
        })
    };
    Ok(Layer {
        norm: names.tensor(format_args!("norm.weight"), &[d])?,
        mixer,
        mlp: config.mlp_hidden.map(mlp).transpose()?,
    })
}

/// A layer as transformers names it (`LlamaForCausalLM`).
fn llama_layer<'a, S: WeightSource<'a> + ?Sized>(
    config: &ModelConfig,
    mixer: Mixer,
    source: &S,
    layer: usize,
) -> Bound<Layer<Tensor<'a>>> {
    let d = config.width;
    let Mixer::Attention(attention) = mixer else { return Err(BindError::NoMixer { layer }) };
    let names = Names { source, stem: "model.layers", layer };
    let (q, kv) = (attention.dims.query_width(), attention.dims.kv_width());
    let qkv = [
        names.linear("self_attn.q_proj", [q, d], attention.qkv_bias)?,
        names.linear("self_attn.k_proj", [kv, d], attention.qkv_bias)?,
        names.linear("self_attn.v_proj", [kv, d], attention.qkv_bias)?,
    ];
    let out_proj = names.linear("self_attn.o_proj", [d, q], attention.out_bias)?;
    let weights = AttentionWeights { qkv: Qkv::Split(qkv), conv: None, out_proj };
    let mlp = |hidden: usize| {
        let up = names.linear("mlp.up_proj", [hidden, d], false)?;
        let gate = names.linear("mlp.gate_proj", [hidden, d], false)?;
        Ok(MlpWeights {
            hidden,
            norm: names.tensor(format_args!("post_attention_layernorm.weight"), &[d])?,
            up_gate: UpGate::Split([up, gate]),
            down: names.linear("mlp.down_proj", [d, hidden], false)?,
        })
    };
    Ok(Layer {
        norm: names.tensor(format_args!("input_layernorm.weight"), &[d])?,
        mixer: MixerWeights::Attention(attention, weights),
        mlp: config.mlp_hidden.map(mlp).transpose()?,
    })
}

/// The tensor of that name, which must have that shape.
fn tensor<'a, S: WeightSource<'a> + ?Sized>(
    source: &S,
    name: fmt::Arguments<'_>,
    shape: &[usize],
) -> Bound<Tensor<'a>> {
    let mut full = TensorName::new();
    // Cannot fail: no name is longer than the capacity.
    let _ = full.write_fmt(name);
    let expected = Shape::from_slice(shape).unwrap_or_default();
    match source.tensor(&full) {
        None => Err(BindError::Missing { name: full, expected }),
        Some(tensor) if tensor.shape() == shape => Ok(tensor),
        Some(tensor) => {
            let found = Shape::from_slice(tensor.shape()).unwrap_or_default();
            Err(BindError::Shape { name: full, expected, found })
        }
    }
}

/// The tensors of one layer.
struct Names<'s, S: ?Sized> {
    source: &'s S,
    stem: &'static str,
    layer: usize,
}

impl<'a, S: WeightSource<'a> + ?Sized> Names<'_, S> {
    fn tensor(&self, name: fmt::Arguments<'_>, shape: &[usize]) -> Bound<Tensor<'a>> {
        let Self { source, stem, layer } = self;
        tensor(*source, format_args!("{stem}.{layer}.{name}"), shape)
    }

    fn linear(&self, name: &str, shape: [usize; 2], bias: bool) -> Bound<Linear<Tensor<'a>>> {
        let weight = self.tensor(format_args!("{name}.weight"), &shape)?;
        let bias = bias.then(|| self.tensor(format_args!("{name}.bias"), &shape[..1]));
        Ok(Linear { weight, bias: bias.transpose()? })
    }

    fn conv(&self, channels: usize, width: usize, bias: bool) -> Bound<Conv<Tensor<'a>>> {
        let weight = self.tensor(format_args!("mixer.conv1d.weight"), &[channels, 1, width])?;
        let bias = bias.then(|| self.tensor(format_args!("mixer.conv1d.bias"), &[channels]));
        Ok(Conv { weight, bias: bias.transpose()? })
    }

    fn ssd(&self, ssd: &SsdConfig, d: usize) -> Bound<SsdWeights<Tensor<'a>>> {
        let inner = ssd.dims.inner();
        let heads = [ssd.dims.heads];
        Ok(SsdWeights {
            in_proj: self.linear("mixer.in_proj", [ssd.projected(), d], ssd.projection_bias)?,
            conv: self.conv(ssd.dims.xbc_width(), ssd.conv_width, ssd.conv_bias)?,
            heads: SsdHeads {
                dt_bias: self.tensor(format_args!("mixer.dt_bias"), &heads)?,
                a_log: self.tensor(format_args!("mixer.A_log"), &heads)?,
                d: self.tensor(format_args!("mixer.D"), &heads)?,
            },
            norm: self.tensor(format_args!("mixer.norm.weight"), &[inner])?,
            out_proj: self.linear("mixer.out_proj", [d, inner], ssd.projection_bias)?,
        })
    }

    fn fused_attention(
        &self,
        attention: &AttentionConfig,
        d: usize,
    ) -> Bound<AttentionWeights<Tensor<'a>>> {
        let (qkv, q) = (attention.dims.qkv_width(), attention.dims.query_width());
        let conv = match attention.conv_width {
            0 => None,
            width => Some(self.conv(qkv, width, true)?),
        };
        Ok(AttentionWeights {
            qkv: Qkv::Fused(self.linear("mixer.in_proj", [qkv, d], attention.qkv_bias)?),
            conv,
            out_proj: self.linear("mixer.out_proj", [d, q], attention.out_bias)?,
        })
    }
}
