//! transformers' `RecurrentGemmaConfig`.

use longseq_core::{
    attention::grouped_query_attention::AttentionDims,
    hybrid::config::{
        AttentionConfig, Family, FeedForward, GatedMlpConfig, LayerSet, MAX_LAYERS, ModelConfig,
        Recurrence, RgLruConfig,
    },
    numeric::activation::Activation,
    recurrence::rg_lru::RgLruDims,
};

use super::{Config, fields::Fields};

/// The end-of-text id of a configuration that names none.
const END_OF_TEXT: u32 = 1;

/// Reads a RecurrentGemma's configuration.
pub fn parse(fields: &Fields<'_>) -> Result<Config, String> {
    let rope = fields.object("rope_parameters", "rope_parameters.")?;
    fields.only("hidden_activation", |act| act == "gelu_pytorch_tanh")?;
    rope.only("rope_type", |kind| kind == "default")?;
    let width = fields.count("hidden_size")?;
    let layers = fields.count("num_hidden_layers")?;
    let heads = fields.count("num_attention_heads")?;
    if heads == 0 || !width.is_multiple_of(heads) {
        return Err(format!("`hidden_size` {width} is no multiple of {heads} heads"));
    }
    let head_dim = width / heads;
    // The class computes it and ignores the key.
    fields.only("head_dim", |dim| dim == head_dim)?;
    let attention_layers = attention_layers(fields, layers)?;
    let recurrence = RgLruConfig {
        dims: RgLruDims { channels: fields.count_or("lru_width", width)?, blocks: heads },
        conv_width: fields.count_or("conv1d_width", 4)?,
    };
    let intermediate = fields.count("intermediate_size")?;
    if !intermediate.is_multiple_of(2) {
        return Err(format!("`intermediate_size` {intermediate} is odd; half of it is the width"));
    }
    Ok(Config {
        model: ModelConfig {
            family: Family::RecurrentGemma,
            width,
            layers,
            vocabulary: fields.count("vocab_size")?,
            embedding_scale: embedding_scale(fields, width)?,
            tied_head: fields.flag_or("tie_word_embeddings", true)?,
            logits_soft_cap: Some(fields.number("logits_soft_cap")?.unwrap_or(30.0)),
            norm_epsilon: fields.number("rms_norm_eps")?.unwrap_or(1e-6),
            attention_layers,
            recurrence: Some(Recurrence::RgLru(recurrence)),
            attention: Some(attention(fields, &rope, heads, head_dim)?),
            feed_forward: Some(FeedForward::Gated(GatedMlpConfig {
                hidden: intermediate / 2,
                activation: Activation::GeluTanh,
                bias: true,
            })),
        },
        end_of_text: fields.token_ids("eos_token_id")?.unwrap_or_else(|| vec![END_OF_TEXT]),
    })
}

/// √d, rounded to bf16 as the class does.
fn embedding_scale(fields: &Fields<'_>, width: usize) -> Result<f64, String> {
    let scaled = fields.flag_or("embeddings_scale_by_sqrt_dim", true)?;
    Ok(if scaled { half::bf16::from_f64((width as f64).sqrt()).to_f64() } else { 1.0 })
}

/// The pattern of blocks, repeated over the layers; released files write its key with an underscore.
fn attention_layers(fields: &Fields<'_>, layers: usize) -> Result<LayerSet, String> {
    let pattern = match fields.texts("block_types")? {
        Some(pattern) => pattern,
        None => fields
            .texts("_block_types")?
            .unwrap_or_else(|| vec!["recurrent", "recurrent", "attention"]),
    };
    let other = pattern.iter().find(|kind| !["recurrent", "attention"].contains(*kind));
    match other {
        Some(other) => return Err(format!("`block_types` names `{other}`, which is unknown")),
        None if pattern.is_empty() => return Err("`block_types` is empty".to_owned()),
        None => {}
    }
    let mut set = LayerSet::EMPTY;
    let attending = (0..layers.min(MAX_LAYERS))
        .filter(|layer| pattern[layer % pattern.len()] == "attention")
        .all(|layer| set.insert(layer));
    debug_assert!(attending);
    Ok(set)
}

fn attention(
    fields: &Fields<'_>,
    rope: &Fields<'_>,
    heads: usize,
    head_dim: usize,
) -> Result<AttentionConfig, String> {
    let share = rope.number("partial_rotary_factor")?.or(fields.number("partial_rotary_factor")?);
    let rope_base = rope.number("rope_theta")?.or(fields.number("rope_theta")?);
    let share = share.unwrap_or(0.5);
    if !(0.0..=1.0).contains(&share) {
        return Err(format!("`partial_rotary_factor` is {share}, expected a share"));
    }
    Ok(AttentionConfig {
        dims: AttentionDims {
            heads,
            kv_heads: fields.count_or("num_key_value_heads", heads)?,
            head_dim,
            scale: (head_dim as f64).powf(-0.5),
            window: Some(fields.count_or("attention_window_size", 2048)?),
            cuts_prompt: false,
            // Rounded down, as the class does.
            rotary: (head_dim as f64 * share) as usize,
            rope_base: rope_base.unwrap_or(10_000.0),
        },
        conv_width: 0,
        qkv_bias: fields.flag_or("attention_bias", false)?,
        out_bias: true,
        prompt_leaves_conv_outputs: false,
    })
}
