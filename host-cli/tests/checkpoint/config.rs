//! The published configurations, and what `config.json` may not say.

use longseq::checkpoint::config::Config;
use longseq_core::{
    hybrid::config::{Family, FeedForward, Mixer, Recurrence},
    recurrence::{rg_lru::RgLruDims, wkv6::Wkv6Dims},
};
use serde_json::{Value, json};

fn parse(json: &Value) -> Result<Config, String> {
    Config::parse(json.to_string().as_bytes(), &|_| None)
}

/// state-spaces/mamba2-2.7b leaves everything to the defaults of the classes.
fn mamba2() -> Value {
    json!({
        "d_model": 2560, "d_intermediate": 0, "n_layer": 64, "vocab_size": 50277,
        "ssm_cfg": {"layer": "Mamba2"}, "attn_layer_idx": [], "attn_cfg": {}, "rms_norm": true,
        "residual_in_fp32": true, "fused_add_norm": true, "pad_vocab_size_multiple": 16,
        "tie_embeddings": true,
    })
}

fn mamba2attn() -> Value {
    let mut json = mamba2();
    json["attn_layer_idx"] = json!([9, 18, 27, 36, 45, 56]);
    json["attn_cfg"] = json!({
        "causal": true, "d_conv": 4, "head_dim": 128, "num_heads": 30, "out_proj_bias": false,
        "qkv_proj_bias": false, "rotary_emb_dim": 64,
    });
    json
}

fn llama() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2560,
        "num_hidden_layers": 32, "num_attention_heads": 20, "intermediate_size": 6912,
        "vocab_size": 32000, "rms_norm_eps": 1e-5, "max_position_embeddings": 4096,
        "tie_word_embeddings": false, "eos_token_id": 2, "rope_scaling": null,
    })
}

fn recurrent_gemma() -> Value {
    json!({
        "model_type": "recurrent_gemma", "_block_types": ["recurrent", "recurrent", "attention"],
        "attention_bias": false, "attention_window_size": 2048, "conv1d_width": 4,
        "embeddings_scale_by_sqrt_dim": true, "head_dim": 256, "hidden_size": 2560,
        "hidden_activation": "gelu_pytorch_tanh", "intermediate_size": 15_360,
        "logits_soft_cap": 30.0, "lru_width": 2560, "num_attention_heads": 10,
        "num_hidden_layers": 26, "num_key_value_heads": 1, "partial_rotary_factor": 0.5,
        "rms_norm_eps": 1e-6, "rope_theta": 10_000.0, "vocab_size": 256_000, "eos_token_id": 1,
    })
}

fn rwkv6() -> Value {
    json!({
        "model_type": "rwkv6", "hidden_size": 2560, "attention_hidden_size": null,
        "num_hidden_layers": 32, "head_size": 64, "intermediate_size": null,
        "layer_norm_epsilon": 1e-5, "rescale_every": 6, "tie_word_embeddings": false,
        "vocab_size": 65_536, "bos_token_id": 0, "eos_token_id": 0,
    })
}

#[test]
fn the_published_sizes_of_the_gated_recurrences_come_out() {
    let config = parse(&recurrent_gemma()).unwrap();
    assert_eq!((config.model.family, config.end_of_text), (Family::RecurrentGemma, vec![1]));
    let model = config.model;
    let attending: Vec<usize> =
        (0..26).filter(|&layer| matches!(model.mixer(layer), Some(Mixer::Attention(_)))).collect();
    assert_eq!(attending, [2, 5, 8, 11, 14, 17, 20, 23]);
    let Some(Mixer::Recurrent(Recurrence::RgLru(rg_lru))) = model.mixer(0) else { panic!() };
    assert_eq!((rg_lru.dims, rg_lru.conv_width), (RgLruDims { channels: 2560, blocks: 10 }, 4));
    let attention = model.attention.unwrap();
    assert_eq!((attention.dims.window, attention.dims.rotary), (Some(2048), 128));
    assert_eq!((attention.qkv_bias, attention.out_bias), (false, true));
    // √2560 = 50.596… in bf16.
    assert_eq!((model.embedding_scale, model.logits_soft_cap), (50.5, Some(30.0)));
    let Some(FeedForward::Gated(mlp)) = model.feed_forward else { panic!() };
    assert_eq!((mlp.hidden, mlp.bias, model.tied_head), (7680, true, true));

    let config = parse(&rwkv6()).unwrap();
    assert_eq!((config.model.family, config.end_of_text), (Family::Rwkv6, vec![0]));
    let Some(Mixer::Recurrent(Recurrence::Wkv6(wkv6))) = config.model.mixer(31) else { panic!() };
    assert_eq!(wkv6.dims, Wkv6Dims { heads: 40, head_dim: 64 });
    assert_eq!((wkv6.shift_rank, wkv6.decay_rank, wkv6.norm_epsilon), (32, 64, 1e-5 * 64.0));
    let Some(FeedForward::ChannelMix(mix)) = config.model.feed_forward else { panic!() };
    assert_eq!(mix.hidden, 8960);
}

#[test]
fn the_published_sizes_come_out() {
    let config = parse(&mamba2()).unwrap().model;
    assert_eq!((config.family, config.vocabulary), (Family::Mamba2, 50_288));
    let Some(Mixer::Recurrent(Recurrence::Ssd(ssd))) = config.mixer(63) else { panic!("no SSD") };
    assert_eq!((ssd.dims.heads, ssd.dims.state, ssd.projected()), (80, 128, 10_576));
    assert_eq!((ssd.dims.xbc_width(), ssd.conv_width, ssd.conv_bias), (5376, 4, true));

    let config = parse(&mamba2attn()).unwrap().model;
    assert_eq!(config.family, Family::Mamba2Attention);
    let Some(Mixer::Attention(attention)) = config.mixer(9) else { panic!("no attention") };
    assert_eq!((attention.dims.qkv_width(), attention.dims.query_width()), (11_520, 3840));
    assert_eq!((attention.dims.rotary, attention.conv_width), (64, 4));
    assert!(matches!(config.mixer(10), Some(Mixer::Recurrent(Recurrence::Ssd(_)))));

    let config = parse(&llama()).unwrap();
    assert_eq!((config.model.family, config.end_of_text), (Family::Llama, vec![2]));
    let attention = config.model.attention.unwrap();
    assert_eq!((attention.dims.kv_heads, attention.dims.head_dim), (20, 128));
    assert_eq!((attention.dims.rotary, attention.dims.rope_base), (128, 10_000.0));
    assert!(!config.model.tied_head && !attention.qkv_bias);
}

#[test]
fn what_is_left_out_has_the_class_default() {
    let mut json = mamba2attn();
    let attn = json["attn_cfg"].as_object_mut().unwrap();
    for key in ["qkv_proj_bias", "out_proj_bias", "head_dim", "d_conv", "rotary_emb_dim"] {
        attn.remove(key);
    }
    attn.insert("num_heads".to_owned(), json!(20));
    let fields = json.as_object_mut().unwrap();
    fields.remove("pad_vocab_size_multiple");
    fields.remove("tie_embeddings");
    let config = parse(&json).unwrap().model;
    let attention = config.attention.unwrap();
    assert!(attention.qkv_bias && attention.out_bias && config.tied_head);
    assert_eq!((attention.conv_width, attention.dims.rotary), (0, 0));
    assert_eq!((attention.dims.head_dim, attention.dims.kv_heads), (128, 20));
    assert_eq!(config.vocabulary, 50_280);
}

#[test]
fn the_mlp_is_rounded_unless_its_tensor_is_not() {
    let mut json = mamba2attn();
    json["d_intermediate"] = json!(100);
    let hidden = |width: usize| {
        let shape = move |_: &str| Some(vec![2560, width]);
        match Config::parse(json.to_string().as_bytes(), &shape).unwrap().model.feed_forward {
            Some(FeedForward::Gated(mlp)) => mlp.hidden,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((hidden(128), hidden(100), hidden(7)), (128, 100, 128));
}

#[test]
fn several_end_of_text_ids_are_kept() {
    let mut json = llama();
    json["eos_token_id"] = json!([2, 32_000]);
    assert_eq!(parse(&json).unwrap().end_of_text, [2, 32_000]);
    json["eos_token_id"] = json!("</s>");
    assert!(parse(&json).unwrap_err().contains("`eos_token_id` is \"</s>\""));
}

/// Each change of a good configuration, and words of the message against it.
#[test]
fn every_misfit_is_named() {
    let cases = [
        (json!({"n_layer": null}), "`n_layer` is missing"),
        (json!({"n_layer": "64"}), "`n_layer` is \"64\", expected a count"),
        (json!({"n_layer": -1}), "`n_layer` is -1, expected a count"),
        (json!({"n_layer": 0}), "layers is 0"),
        (json!({"n_layer": 1_000_000_000_000_u64}), "layers is out of range"),
        (json!({"d_model": u64::MAX}), "no multiple of `ssm_cfg.headdim`"),
        (json!({"d_model": 1_u64 << 62}), "out of range"),
        (json!({"vocab_size": u64::MAX}), "`vocab_size` is out of range"),
        (json!({"pad_vocab_size_multiple": 0}), "`pad_vocab_size_multiple` is 0"),
        (json!({"attn_layer_idx": [64]}), "names layer 64 of 64"),
        (json!({"attn_layer_idx": [3]}), "`attn_cfg.causal` is not true"),
        (json!({"ssm_cfg": {}}), "`ssm_cfg.layer` is Mamba1"),
        (json!({"ssm_cfg": 3}), "`ssm_cfg` is 3, expected an object"),
        (json!({"ssm_cfg": {"layer": "Mamba2", "ngroups": 3}}), "not a multiple of groups"),
        (json!({"rms_norm": false}), "`rms_norm` is false, which is not supported"),
        (json!({"model_type": "gpt2"}), "the family `gpt2` (model_type) is unknown"),
    ];
    for (change, words) in cases {
        let mut json = mamba2();
        let fields = json.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        let refusal = parse(&json).unwrap_err();
        assert!(refusal.contains(words), "{change}: {refusal}");
    }
    let cases = [
        (json!({"num_attention_heads": 0}), "no multiple of 0 heads"),
        (json!({"num_key_value_heads": 3}), "not a multiple of key-value heads"),
        (json!({"hidden_act": "gelu"}), "`hidden_act` is \"gelu\", which is not supported"),
        (json!({"rope_scaling": {"type": "linear", "factor": 2}}), "`rope_scaling` is"),
        (json!({"rms_norm_eps": -1}), "norm epsilon"),
    ];
    for (change, words) in cases {
        let mut json = llama();
        json.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refusal = parse(&json).unwrap_err();
        assert!(refusal.contains(words), "{change}: {refusal}");
    }
    let cases = [
        (json!({"num_attention_heads": 7}), "no multiple of 7 heads"),
        (json!({"head_dim": 128}), "`head_dim` is 128, which is not supported"),
        (json!({"hidden_activation": "silu"}), "`hidden_activation` is \"silu\""),
        (json!({"_block_types": ["recurrent", "mamba"]}), "names `mamba`, which is unknown"),
        (json!({"_block_types": []}), "`block_types` is empty"),
        (json!({"_block_types": "attention"}), "expected a list of texts"),
        (json!({"intermediate_size": 7}), "`intermediate_size` 7 is odd"),
        (json!({"lru_width": 7}), "RG-LRU width is 7, not a multiple of gate blocks (10)"),
        (json!({"partial_rotary_factor": 1.5}), "`partial_rotary_factor` is 1.5"),
        (json!({"attention_window_size": 0}), "attention window is 0"),
        (json!({"logits_soft_cap": 0}), "soft cap"),
        (json!({"num_hidden_layers": 1_000_000}), "layers is out of range"),
    ];
    for (change, words) in cases {
        let mut json = recurrent_gemma();
        json.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refusal = parse(&json).unwrap_err();
        assert!(refusal.contains(words), "{change}: {refusal}");
    }
    let cases = [
        (json!({"head_size": 0}), "no multiple of `head_size` 0"),
        (json!({"head_size": 48}), "no multiple of `head_size` 48"),
        (json!({"layer_norm_epsilon": 1e-6}), "`layer_norm_epsilon` is 1e-6, which is not"),
        (json!({"hidden_size": u64::MAX / 128 * 64}), "out of range"),
        (json!({"intermediate_size": 0}), "MLP width is 0"),
    ];
    for (change, words) in cases {
        let mut json = rwkv6();
        json.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refusal = parse(&json).unwrap_err();
        assert!(refusal.contains(words), "{change}: {refusal}");
    }
    for (bytes, words) in [("{", "no JSON"), ("[]", "no JSON object"), ("{}", "names no family")] {
        assert!(Config::parse(bytes.as_bytes(), &|_| None).unwrap_err().contains(words));
    }
    let deep = "[".repeat(100_000);
    assert!(Config::parse(deep.as_bytes(), &|_| None).is_err());
}
