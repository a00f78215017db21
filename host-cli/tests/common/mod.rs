//! A small tokenizer, trained when first asked for.

use std::{fs, path::Path, sync::LazyLock};

use serde_json::{Value, json};
use tokenizers::{
    models::{
        TrainerWrapper,
        bpe::{BPE, BpeTrainer},
    },
    pre_tokenizers::byte_level::ByteLevel,
};

const CORPUS: &str = include_str!("../../corpora/essays/01-walking-to-work.txt");

/// A byte-level BPE tokenizer of 700 tokens, as JSON.
static TRAINED: LazyLock<Value> = LazyLock::new(|| {
    let mut tokenizer = tokenizers::Tokenizer::new(BPE::default());
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
    let trainer = BpeTrainer::builder()
        .vocab_size(700)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect());
    let mut trainer: TrainerWrapper = trainer.build().into();
    tokenizer.train(&mut trainer, CORPUS.lines()).expect("training");
    let json = tokenizer.to_string(false).expect("a tokenizer as JSON");
    serde_json::from_str(&json).expect("JSON")
});

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
