//! Small models made of a seed, of every mixer, with heads that have fast kernels.

use std::collections::BTreeMap;

use half::bf16;
use longseq_core::{
    attention::grouped_query_attention::AttentionDims,
    hybrid::{
        bind::{self, BindError, WeightSource},
        config::{
            AttentionConfig, ChannelMixConfig, Family, FeedForward, GatedMlpConfig, LayerSet,
            ModelConfig, Recurrence, RgLruConfig, SsdConfig, Wkv6Config,
        },
    },
    numeric::{
        activation::Activation,
        tensor::{Dtype, Tensor},
    },
    recurrence::{rg_lru::RgLruDims, ssd::SsdDims, wkv6::Wkv6Dims},
    statistics::draws::Draws,
};

use crate::{checkpoint::Weights, engine::worker::internal, error::Result};

const WIDTH: usize = 128;

/// Rows of the embedding and of the logits.
pub const VOCABULARY: usize = 96;

/// Mamba-2 with attention, Transformer++, RecurrentGemma and RWKV-6, three layers each.
pub fn configurations() -> [ModelConfig; 4] {
    let (second, all) = (layers(&[1]), layers(&[0, 1, 2]));
    let of = |family, attention_layers, recurrence, attention, feed_forward| ModelConfig {
        family,
        width: WIDTH,
        layers: 3,
        vocabulary: VOCABULARY,
        embedding_scale: 1.0,
        tied_head: false,
        logits_soft_cap: None,
        norm_epsilon: 1e-5,
        attention_layers,
        recurrence,
        attention,
        feed_forward,
    };
    let ssd = SsdConfig {
        dims: SsdDims { heads: 4, head_dim: 64, state: 128, groups: 1 },
        conv_width: 4,
        conv_bias: true,
        projection_bias: false,
    };
    let rg_lru = RgLruConfig { dims: RgLruDims { channels: WIDTH, blocks: 2 }, conv_width: 4 };
    let dims = Wkv6Dims { heads: 2, head_dim: 64 };
    // Large, or of heads whose sums cancel the rounding would be made large.
    let wkv6 = Wkv6Config { dims, shift_rank: 16, decay_rank: 16, norm_epsilon: 0.1 };
    let mlp =
        |activation| FeedForward::Gated(GatedMlpConfig { hidden: 256, activation, bias: false });
    let [silu, gelu] = [Activation::Silu, Activation::GeluTanh].map(|of| Some(mlp(of)));
    let mix = Some(FeedForward::ChannelMix(ChannelMixConfig { hidden: 256 }));
    let wide = attention((2, 1), 128, None, 4);
    let narrow = attention((2, 2), 64, None, 0);
    let local = attention((3, 1), 256, Some(48), 0);
    let gemma = of(Family::RecurrentGemma, second, Some(Recurrence::RgLru(rg_lru)), local, gelu);
    [
        of(Family::Mamba2Attention, second, Some(Recurrence::Ssd(ssd)), wide, None),
        of(Family::TransformerPlusPlus, all, None, narrow, silu),
        ModelConfig { logits_soft_cap: Some(30.0), embedding_scale: 11.0, ..gemma },
        of(Family::Rwkv6, LayerSet::EMPTY, Some(Recurrence::Wkv6(wkv6)), None, mix),
    ]
}

fn layers(which: &[usize]) -> LayerSet {
    which.iter().fold(LayerSet::EMPTY, |mut set, &layer| {
        let _ = set.insert(layer);
        set
    })
}

fn attention(
    (heads, kv_heads): (usize, usize),
    head_dim: usize,
    window: Option<usize>,
    conv_width: usize,
) -> Option<AttentionConfig> {
    let scale = 1.0 / (head_dim as f64).sqrt();
    let (rotary, rope_base, cuts_prompt) = (head_dim / 2, 10_000.0, false);
    let dims =
        AttentionDims { heads, kv_heads, head_dim, scale, window, cuts_prompt, rotary, rope_base };
    Some(AttentionConfig {
        dims,
        conv_width,
        qkv_bias: false,
        out_bias: false,
        prompt_leaves_conv_outputs: false,
    })
}

/// The tensors of a model, in bf16.
#[derive(Debug, Default)]
pub struct Made(BTreeMap<String, (Vec<usize>, Vec<u8>)>);

impl<'a> WeightSource<'a> for &'a Made {
    fn tensor(&self, name: &str) -> Option<Tensor<'a>> {
        let (shape, bytes) = self.0.get(name)?;
        Tensor::new(Dtype::Bf16, shape, bytes).ok()
    }
}

impl Made {
    /// Whatever a model of this configuration asks for.
    pub fn new(config: &ModelConfig, seed: u64) -> Result<Self> {
        let mut made = Self::default();
        let mut draws = Draws::new(seed);
        loop {
            match made.weights(config) {
                Ok(_) => return Ok(made),
                Err(BindError::Missing { name, expected }) => {
                    let bytes = values(&name, &expected, &mut draws);
                    made.0.insert(name.to_string(), (expected.to_vec(), bytes));
                }
                Err(other) => return Err(internal(other)),
            }
        }
    }

    /// The model's weights.
    #[expect(clippy::result_large_err, reason = "as of what it calls")]
    pub fn weights<'a>(&'a self, config: &'a ModelConfig) -> Result<Weights<'a>, BindError> {
        let ends = bind::bind_ends(config, &self)?;
        let layers = (0..config.layers).map(|layer| bind::bind_layer(config, &self, layer));
        Ok(Weights { config, ends, layers: layers.collect::<Result<_, _>>()? })
    }
}

/// Random values of the size that such a tensor has: norms about 1, what decays are made of about -2, so that states last,
/// matrices so that sums do not grow.
fn values(name: &str, shape: &[usize], draws: &mut Draws) -> Vec<u8> {
    let is_any = |names: &[&str]| names.iter().any(|part| name.contains(part));
    let last = shape.last().copied().unwrap_or(1) as f32;
    let (middle, width) = match shape.len() {
        _ if is_any(&["dt_bias", "A_log", "recurrent_param"]) || name.ends_with("time_decay") => {
            (-2.0, 1.0)
        }
        _ if name.contains("embed") => (0.0, 1.0),
        1 if is_any(&["norm", "ln"]) && name.ends_with("weight") => (1.0, 0.3),
        1 => (0.0, 0.5),
        // Of a convolution the taps are few.
        _ => (0.0, 1.7 / last.sqrt()),
    };
    let uniform = |bits: u64| (bits >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let value = |_| bf16::from_f32(middle + width * uniform(draws.bits())).to_le_bytes();
    (0..shape.iter().product()).flat_map(value).collect()
}
