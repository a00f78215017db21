//! transformers' `LlamaConfig`.

use longseq_core::{
    attention::grouped_query_attention::AttentionDims,
    hybrid::config::{
        AttentionConfig, Family, FeedForward, GatedMlpConfig, LayerSet, MAX_LAYERS, ModelConfig,
    },
    numeric::activation::Activation,
};

use super::{Config, fields::Fields};

/// The end-of-text id of a `LlamaConfig` that names none.
const END_OF_TEXT: u32 = 2;

/// Reads a LLaMA's configuration.
pub fn parse(fields: &Fields<'_>) -> Result<Config, String> {
    let rope = fields.object("rope_parameters", "rope_parameters.")?;
    refuse_what_is_not_computed(fields, &rope)?;
    let width = fields.count("hidden_size")?;
    let layers = fields.count("num_hidden_layers")?;
    let heads = fields.count("num_attention_heads")?;
    let head_dim = match fields.count_if("head_dim")? {
        Some(head_dim) => head_dim,
        None if heads > 0 && width.is_multiple_of(heads) => width / heads,
        None => return Err(format!("`hidden_size` {width} is no multiple of {heads} heads")),
    };
    let bias = fields.flag_or("attention_bias", false)?;
    let rope_base = rope.number("rope_theta")?.or(fields.number("rope_theta")?);
    let dims = AttentionDims {
        heads,
        kv_heads: fields.count_or("num_key_value_heads", heads)?,
        head_dim,
        scale: (head_dim as f64).powf(-0.5),
        window: None,
        cuts_prompt: false,
        rotary: head_dim,
        rope_base: rope_base.unwrap_or(10_000.0),
    };
    let mut attention_layers = LayerSet::default();
    let inserted = (0..layers.min(MAX_LAYERS)).all(|layer| attention_layers.insert(layer));
    debug_assert!(inserted);
    Ok(Config {
        model: ModelConfig {
            family: Family::Llama,
            width,
            layers,
            vocabulary: fields.count("vocab_size")?,
            embedding_scale: 1.0,
            tied_head: fields.flag_or("tie_word_embeddings", false)?,
            logits_soft_cap: None,
            norm_epsilon: fields.number("rms_norm_eps")?.unwrap_or(1e-6),
            attention_layers,
            recurrence: None,
            attention: Some(AttentionConfig {
                dims,
                conv_width: 0,
                qkv_bias: bias,
                out_bias: bias,
                prompt_leaves_conv_outputs: false,
            }),
            feed_forward: Some(FeedForward::Gated(GatedMlpConfig {
                hidden: fields.count("intermediate_size")?,
                activation: Activation::Silu,
                bias: false,
            })),
        },
        end_of_text: fields.token_ids("eos_token_id")?.unwrap_or_else(|| vec![END_OF_TEXT]),
    })
}

fn refuse_what_is_not_computed(fields: &Fields<'_>, rope: &Fields<'_>) -> Result<(), String> {
    fields.only("hidden_act", |act| act == "silu")?;
    fields.only("mlp_bias", |bias| bias == false)?;
    fields.only("rope_scaling", |scaling| {
        let kind = scaling.get("rope_type").or(scaling.get("type"));
        kind.is_some_and(|kind| kind == "default")
    })?;
    rope.only("rope_type", |kind| kind == "default")
}
