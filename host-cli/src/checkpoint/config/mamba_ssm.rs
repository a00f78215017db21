//! mamba_ssm's `MambaConfig`: Mamba2, its hybrid with attention, and Transformer++.

use longseq_core::{
    attention::grouped_query_attention::AttentionDims,
    hybrid::config::{
        AttentionConfig, Family, FeedForward, GatedMlpConfig, LayerSet, ModelConfig, Recurrence,
        SsdConfig,
    },
    numeric::activation::Activation,
    recurrence::ssd::SsdDims,
};

use super::{Config, ShapeOf, fields::Fields};

/// ε of every norm; the container has no key for it.
const NORM_EPSILON: f64 = 1e-5;

/// mamba_ssm's gated MLP rounds its hidden width up to a multiple of this.
const MLP_MULTIPLE: usize = 128;

/// Reads a mamba_ssm model's configuration.
pub fn parse(fields: &Fields<'_>, shape_of: &ShapeOf<'_>) -> Result<Config, String> {
    fields.only("rms_norm", |rms_norm| rms_norm == true)?;
    let width = fields.count("d_model")?;
    let layers = fields.count("n_layer")?;
    let indices = fields.counts("attn_layer_idx")?;
    let attention_layers = layer_set(&indices, layers)?;
    let attending = (0..layers.min(indices.len() + 1))
        .filter(|&layer| attention_layers.contains(layer))
        .count();
    let family = match attending {
        _ if indices.is_empty() => Family::Mamba2,
        attending if attending == layers => Family::TransformerPlusPlus,
        _ => Family::Mamba2Attention,
    };
    let ssd = (family != Family::TransformerPlusPlus).then(|| ssd(fields, width)).transpose()?;
    let attention = (family != Family::Mamba2).then(|| attention(fields, width)).transpose()?;
    Ok(Config {
        model: ModelConfig {
            family,
            width,
            layers,
            vocabulary: padded_vocabulary(fields)?,
            embedding_scale: 1.0,
            tied_head: fields.flag_or("tie_embeddings", true)?,
            logits_soft_cap: None,
            norm_epsilon: NORM_EPSILON,
            attention_layers,
            recurrence: ssd.map(Recurrence::Ssd),
            attention,
            feed_forward: mlp_hidden(fields, shape_of)?.map(mlp),
        },
        end_of_text: Vec::new(),
    })
}

fn layer_set(indices: &[usize], layers: usize) -> Result<LayerSet, String> {
    let mut set = LayerSet::default();
    match indices.iter().find(|&&layer| layer >= layers || !set.insert(layer)) {
        Some(layer) => Err(format!("`attn_layer_idx` names layer {layer} of {layers}")),
        None => Ok(set),
    }
}

/// Rows of the embedding: `vocab_size` rounded up to `pad_vocab_size_multiple`.
fn padded_vocabulary(fields: &Fields<'_>) -> Result<usize, String> {
    let tokens = fields.count("vocab_size")?;
    let multiple = fields.count_or("pad_vocab_size_multiple", 8)?;
    if multiple == 0 {
        return Err("`pad_vocab_size_multiple` is 0".to_owned());
    }
    tokens.checked_next_multiple_of(multiple).ok_or("`vocab_size` is out of range".to_owned())
}

/// F. The class rounds it up to a multiple of 128; where the tensor has the width as it is written,
/// that counts.
fn mlp_hidden(fields: &Fields<'_>, shape_of: &ShapeOf<'_>) -> Result<Option<usize>, String> {
    let written = fields.count_or("d_intermediate", 0)?;
    if written == 0 {
        return Ok(None);
    }
    let unrounded = shape_of("backbone.layers.0.mlp.fc2.weight")
        .is_some_and(|shape| shape.last() == Some(&written));
    let rounded = written.checked_next_multiple_of(MLP_MULTIPLE);
    let hidden = if unrounded { Some(written) } else { rounded };
    hidden.map(Some).ok_or("`d_intermediate` is out of range".to_owned())
}

const fn mlp(hidden: usize) -> FeedForward {
    FeedForward::Gated(GatedMlpConfig { hidden, activation: Activation::Silu, bias: false })
}

fn ssd(fields: &Fields<'_>, width: usize) -> Result<SsdConfig, String> {
    let ssm = fields.object("ssm_cfg", "ssm_cfg.")?;
    match ssm.text("layer")? {
        Some("Mamba2") => {}
        // The class default is Mamba1.
        layer => {
            let layer = layer.unwrap_or("Mamba1");
            return Err(format!("`ssm_cfg.layer` is {layer}, only Mamba2 is supported"));
        }
    }
    let inner = ssm.count_or("expand", 2)?.saturating_mul(width);
    let head_dim = ssm.count_or("headdim", 64)?;
    if head_dim == 0 || !inner.is_multiple_of(head_dim) {
        return Err(format!(
            "the inner width {inner} is no multiple of `ssm_cfg.headdim` {head_dim}"
        ));
    }
    ssm.only("d_ssm", |d_ssm| d_ssm == inner)?;
    ssm.only("rmsnorm", |rmsnorm| rmsnorm == true)?;
    ssm.only("norm_before_gate", |before| before == false)?;
    ssm.only("D_has_hdim", |per_channel| per_channel == false)?;
    // JSON has no infinity; Python's writer makes it one all the same, which is no JSON.
    ssm.only("dt_limit", |_| false)?;
    Ok(SsdConfig {
        dims: SsdDims {
            heads: inner / head_dim,
            head_dim,
            state: ssm.count_or("d_state", 128)?,
            groups: ssm.count_or("ngroups", 1)?,
        },
        conv_width: ssm.count_or("d_conv", 4)?,
        conv_bias: ssm.flag_or("conv_bias", true)?,
        projection_bias: ssm.flag_or("bias", false)?,
    })
}

fn attention(fields: &Fields<'_>, width: usize) -> Result<AttentionConfig, String> {
    let attn = fields.object("attn_cfg", "attn_cfg.")?;
    // The class default is false, which is no language model.
    if !attn.flag_or("causal", false)? {
        return Err("`attn_cfg.causal` is not true; only causal attention is supported".to_owned());
    }
    attn.only("mlp_dim", |dim| dim == 0)?;
    attn.only("rotary_emb_interleaved", |interleaved| interleaved == false)?;
    attn.only("rotary_emb_scale_base", |_| false)?;
    let heads = attn.count("num_heads")?;
    let head_dim = match attn.count_if("head_dim")? {
        Some(head_dim) => head_dim,
        None if heads > 0 && width.is_multiple_of(heads) => width / heads,
        None => return Err(format!("`d_model` {width} is no multiple of {heads} heads")),
    };
    let scale = attn.number("softmax_scale")?;
    Ok(AttentionConfig {
        dims: AttentionDims {
            heads,
            kv_heads: attn.count_or("num_heads_kv", heads)?,
            head_dim,
            scale: scale.unwrap_or((head_dim as f64).powf(-0.5)),
            window: None,
            cuts_prompt: false,
            rotary: attn.count_or("rotary_emb_dim", 0)?,
            rope_base: attn.number("rotary_emb_base")?.unwrap_or(10_000.0),
        },
        conv_width: attn.count_or("d_conv", 0)?,
        qkv_bias: attn.flag_or("qkv_proj_bias", true)?,
        out_bias: attn.flag_or("out_proj_bias", true)?,
        prompt_leaves_conv_outputs: false,
    })
}
