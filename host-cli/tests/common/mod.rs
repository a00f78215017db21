//! A small tokenizer, trained when first asked for.

use std::{fs, path::Path, sync::LazyLock};

use serde_json::{Value, json};
use tokenizers::{
    models::{
        TrainerWrapper,
        bpe::{BPE, BpeTrainer},
    },
    pre_tokenizers::{
        PreTokenizerWrapper,
        byte_level::ByteLevel,
        metaspace::{Metaspace, PrependScheme},
    },
};

const CORPUS: &str = include_str!("../../corpora/essays/01-walking-to-work.txt");

/// A byte-level BPE tokenizer of 700 tokens, as JSON.
static TRAINED: LazyLock<Value> =
    LazyLock::new(|| train(ByteLevel::new(false, true, true), ByteLevel::alphabet()));

fn train(
    pre_tokenizer: impl Into<PreTokenizerWrapper>,
    alphabet: impl IntoIterator<Item = char>,
) -> Value {
    let mut tokenizer = tokenizers::Tokenizer::new(BPE::default());
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer.into()));
    let trainer = BpeTrainer::builder()
        .vocab_size(700)
        .show_progress(false)
        .initial_alphabet(alphabet.into_iter().collect());
    let mut trainer: TrainerWrapper = trainer.build().into();
    tokenizer.train(&mut trainer, CORPUS.lines()).expect("training");
    let json = tokenizer.to_string(false).expect("a tokenizer as JSON");
    serde_json::from_str(&json).expect("JSON")
}

/// SentencePiece's kind of BPE: `▁` starts words, unknown characters become bytes.
#[allow(dead_code, reason = "each test binary compiles this file for itself")]
pub fn trained_on_marks() -> Value {
    let mut json = train(Metaspace::new('\u{2581}', PrependScheme::Always, true), '!'..='~');
    let model = &mut json["model"];
    for byte in 0..256 {
        model["vocab"][format!("<0x{byte:02X}>")] = (1000 + byte).into();
    }
    for (token, id) in [("<unk>", 1256), ("</s>", 1257)] {
        model["vocab"][token] = id.into();
    }
    model["byte_fallback"] = true.into();
    model["fuse_unk"] = true.into();
    model["unk_token"] = "<unk>".into();
    json["added_tokens"] = json!([added(1256, "<unk>"), added(1257, "</s>")]);
    json
}

/// Writes `tokenizer.json` to a folder.
pub fn save(folder: &Path, json: &Value) {
    fs::write(folder.join("tokenizer.json"), json.to_string()).expect("a file");
}

/// An entry of `added_tokens`.
pub fn added(id: u32, content: &str) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": content.starts_with(' '), "special": !content.starts_with(' '),
    })
}

/// GPT-NeoX's way: NFC, `ByteLevel`, added tokens for runs of spaces.
pub fn neox() -> Value {
    let mut json = TRAINED.clone();
    json["normalizer"] = json!({"type": "NFC"});
    json["decoder"] = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true});
    json["added_tokens"] =
        json!([added(700, "<|endoftext|>"), added(701, "    "), added(702, "  ")]);
    json
}
