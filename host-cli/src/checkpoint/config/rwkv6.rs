//! RWKV's `Rwkv6Config`.

use longseq_core::{
    hybrid::config::{
        ChannelMixConfig, Family, FeedForward, LayerSet, ModelConfig, Recurrence, Wkv6Config,
    },
    recurrence::{token_shift::STREAMS, wkv6::Wkv6Dims},
};

use super::{Config, ShapeOf, fields::Fields};

/// ε of every norm. The class has a key for some of them and this for the others.
const NORM_EPSILON: f64 = 1e-5;

/// The end-of-text id of a configuration that names none.
const END_OF_TEXT: u32 = 0;

/// From this width on the low ranks are twice as large.
const WIDE: usize = 4096;

/// Reads an RWKV-6's configuration. `rescale_every` is not needed: it guards half precision against
/// overflow, and what is computed here is single or double.
pub fn parse(fields: &Fields<'_>, shape_of: &ShapeOf<'_>) -> Result<Config, String> {
    fields.only("layer_norm_epsilon", |epsilon| epsilon == NORM_EPSILON)?;
    let width = fields.count("hidden_size")?;
    let head_dim = fields.count_or("head_size", 64)?;
    let inner = fields.count_or("attention_hidden_size", width)?;
    if head_dim == 0 || !inner.is_multiple_of(head_dim) {
        return Err(format!(
            "the attention width {inner} is no multiple of `head_size` {head_dim}"
        ));
    }
    let divisor = fields.count_or("head_size_divisor", 8)? as f64;
    let rank = |name: &str, of_one: usize| {
        let shape = shape_of(&format!("rwkv.blocks.0.attention.{name}"));
        shape.and_then(|shape| shape.last().copied()).unwrap_or(of_one)
    };
    let usual = if width < WIDE { 32 } else { 64 };
    let wkv6 = Wkv6Config {
        dims: Wkv6Dims { heads: inner / head_dim, head_dim },
        shift_rank: rank("time_maa_w1", STREAMS * usual) / STREAMS,
        decay_rank: rank("time_decay_w1", 2 * usual),
        norm_epsilon: NORM_EPSILON * divisor * divisor,
    };
    // ⌊3.5 d / 32⌋ · 32.
    let hidden = width.saturating_mul(7) / 2 / 32 * 32;
    Ok(Config {
        model: ModelConfig {
            family: Family::Rwkv6,
            width,
            layers: fields.count("num_hidden_layers")?,
            vocabulary: fields.count("vocab_size")?,
            embedding_scale: 1.0,
            tied_head: fields.flag_or("tie_word_embeddings", false)?,
            logits_soft_cap: None,
            norm_epsilon: NORM_EPSILON,
            attention_layers: LayerSet::EMPTY,
            recurrence: Some(Recurrence::Wkv6(wkv6)),
            attention: None,
            feed_forward: Some(FeedForward::ChannelMix(ChannelMixConfig {
                hidden: fields.count_or("intermediate_size", hidden)?,
            })),
        },
        end_of_text: fields.token_ids("eos_token_id")?.unwrap_or_else(|| vec![END_OF_TEXT]),
    })
}
