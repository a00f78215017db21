//! Counts add up over pieces, BOS is never doubled, and a wrong tokenizer is refused.

mod common;

use std::{fs, path::Path, sync::LazyLock};

use common::{added, neox, save};
use longseq::tokenizer::Tokenizer;
use longseq_core::ruler::corpus::CountTokens;
use proptest::prelude::*;
use serde_json::{Value, json};

const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Llama 3's way: a split of its own before `ByteLevel`.
fn llama_3() -> Value {
    let mut json = neox();
    json["normalizer"] = Value::Null;
    json["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": LLAMA_3}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
    ]});
    json
}

/// Llama 2's way: `▁` for spaces and in front, one piece, bytes for unknown characters.
fn llama_2() -> Value {
    let mut json = common::trained_on_marks();
    json["normalizer"] = json!({"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "\u{2581}"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"},
    ]});
    json["pre_tokenizer"] = Value::Null;
    json
}

/// The same as later versions of transformers write it.
fn llama_2_metaspace() -> Value {
    let mut json = common::trained_on_marks();
    json["pre_tokenizer"] = json!({
        "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "first", "split": false,
    });
    json
}

/// A tokenizer that SentencePiece trained, of Llama 2's kind or Gemma's.
fn sentence_piece(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tokenizers");
    let json = fs::read(folder.join(name).join("tokenizer.json")).expect("a fixture");
    serde_json::from_slice(&json).expect("a fixture in JSON")
}

/// Gemma's kind without the split that never splits, and without runs of marks and line feeds.
fn gemma_plain() -> Value {
    let mut json = sentence_piece("gemma");
    json["pre_tokenizer"] = Value::Null;
    json["added_tokens"].as_array_mut().expect("added tokens").truncate(6);
    json
}

fn load(json: &Value) -> Tokenizer {
    let folder = tempfile::tempdir().expect("a folder");
    save(folder.path(), json);
    Tokenizer::load(folder.path()).expect("a tokenizer")
}

/// A tokenizer whose counts are no longer checked against the whole text.
fn warm(json: &Value) -> Tokenizer {
    let tokenizer = load(json);
    for text in ["a b", "c d", "e f"] {
        tokenizer.counter().count_text(text).expect("a count");
    }
    assert!(tokenizer.counts_by_pieces());
    tokenizer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pieces_add_up(parts in prop::collection::vec(prop::sample::select(vec![
        "walk", "work", "a", "Z", "7", "1234", " ", " ", " ", " ", " ", "  ", "     ", "\n", "\n\n",
        "\t", "\r\n", ".", ",", "'s", "'S", "'", "\"", "--", "e\u{301}", "\u{301}", "\u{e9}",
        "\u{a0}", "\u{2003}", "\u{1f600}", "\u{4e2d}", "<|endoftext|>", "</s>", "<start_of_turn>", "\u{2581}", "\u{1e9b}\u{323}", "\u{ff11}",
    ]), 0..60)) {
        static TOKENIZERS: LazyLock<[Tokenizer; 7]> = LazyLock::new(|| {
            let [llama, gemma] = ["llama", "gemma"].map(sentence_piece);
            let ways = [neox(), llama_3(), llama_2(), llama_2_metaspace(), llama, gemma, gemma_plain()];
            ways.map(|json| warm(&json))
        });
        let text = parts.concat();
        for tokenizer in &*TOKENIZERS {
            let count = tokenizer.counter().count(&text);
            prop_assert_eq!(count, Ok(tokenizer.encode(&text).expect("ids").len()));
        }
    }
}

#[test]
fn unknown_ways_are_counted_whole() {
    let strips = |json: &mut Value| json["added_tokens"][0]["rstrip"] = true.into();
    let holds_space = |json: &mut Value| json["added_tokens"][0]["content"] = "to work".into();
    let drops = |json: &mut Value| json["model"]["dropout"] = 0.1.into();
    let lowers = |json: &mut Value| json["normalizer"] = json!({"type": "Lowercase"});
    let spaces = |json: &mut Value| json["pre_tokenizer"] = json!({"type": "WhitespaceSplit"});
    let edits: [fn(&mut Value); 5] = [strips, holds_space, drops, lowers, spaces];
    for edit in edits {
        let mut json = neox();
        edit(&mut json);
        assert!(!load(&json).counts_by_pieces());
    }
    // A token that runs across a space, and other ways to a token than merges.
    let runs_across = |json: &mut Value| json["model"]["vocab"]["to\u{2581}work"] = 5000.into();
    let ignores = |json: &mut Value| json["model"]["ignore_merges"] = true.into();
    let ends = |json: &mut Value| json["model"]["end_of_word_suffix"] = "</w>".into();
    let unknown = |json: &mut Value| {
        json["model"]["vocab"].as_object_mut().expect("tokens").shift_remove("~");
    };
    // What Gemma's kind needs beside.
    let normalized = |json: &mut Value| json["added_tokens"][4]["content"] = "to\u{2581}".into();
    let splits = |json: &mut Value| json["pre_tokenizer"]["pattern"]["String"] = "o".into();
    let collapses = |json: &mut Value| json["normalizer"]["pattern"] = json!({"Regex": " +"});
    let ways: [fn(&mut Value); 9] =
        [runs_across, ignores, ends, unknown, strips, holds_space, normalized, splits, collapses];
    for (index, edit) in ways.into_iter().enumerate() {
        let mut json = sentence_piece("gemma");
        edit(&mut json);
        assert!(!load(&json).counts_by_pieces(), "{index}");
    }
    for edit in &ways[..4] {
        let mut json = llama_2();
        edit(&mut json);
        assert!(!load(&json).counts_by_pieces());
    }
    let mut json = neox();
    holds_space(&mut json);
    let tokenizer = load(&json);
    let text = "I walked to work and to work.";
    let whole = tokenizer.encode(text).expect("ids").len();
    assert_eq!(tokenizer.counter().count(&text), Ok(whole));
}

/// `tokenizer.json` with a token `<s>` that the post-processor puts in front if asked for.
fn with_bos(post_processor: bool) -> Value {
    let mut json = neox();
    json["added_tokens"] = json!([added(700, "<s>")]);
    if post_processor {
        json["post_processor"] = json!({
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [700], "tokens": ["<s>"]}},
        });
    }
    json
}

#[test]
fn bos_stands_once() {
    let yes = json!({"add_bos_token": true, "bos_token": "<s>"});
    let content = json!({"add_bos_token": true, "bos_token": {"content": "<s>"}});
    let no = json!({"add_bos_token": false, "bos_token": "<s>"});
    let silent = json!({"bos_token": "<s>"});
    let cases = [
        (true, None, true),
        (false, None, false),
        (false, Some(&yes), true),
        (true, Some(&content), true),
        (true, Some(&no), false),
        (true, Some(&silent), true),
        (false, Some(&silent), false),
    ];
    for (post_processor, config, expected) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        save(folder.path(), &with_bos(post_processor));
        if let Some(config) = config {
            let path = folder.path().join("tokenizer_config.json");
            fs::write(path, config.to_string()).expect("a file");
        }
        let tokenizer = Tokenizer::load(folder.path()).expect("a tokenizer");
        assert_eq!(tokenizer.bos().map(|bos| bos.id), expected.then_some(700), "{config:?}");
        let plain = tokenizer.encode_prompt("work").expect("ids");
        let written = tokenizer.encode_prompt("<s>work").expect("ids");
        assert_eq!(plain.bos, usize::from(expected), "{config:?}");
        assert_eq!(written.ids.iter().filter(|&&id| id == 700).count(), 1, "{config:?}");
        assert_eq!(written.bos, usize::from(expected));
        assert_eq!(tokenizer.encode("work").expect("ids"), plain.ids[plain.bos..]);
        assert_eq!(tokenizer.decode(&plain.ids, true).expect("text"), "work");
    }
}

#[test]
fn larger_than_the_model_is_refused() {
    let tokenizer = load(&neox());
    assert_eq!(tokenizer.vocabulary(), 703);
    tokenizer.check_vocabulary(703).expect("as many rows as ids");
    let error = tokenizer.check_vocabulary(702).expect_err("one row too few").to_string();
    assert!(error.contains("703 token ids") && error.contains("only 702"), "{error}");
}

#[test]
fn broken_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tokenizer.json");
    let whole = neox().to_string();
    let error = Tokenizer::load(folder.path()).expect_err("no file").to_string();
    assert!(error.contains("tokenizer.json") && error.contains("\nhelp: "), "{error}");
    let half = &whole.as_bytes()[..whole.len() / 2];
    for text in [&b""[..], b"{}", b"[1]", b"not JSON", half] {
        fs::write(&path, text).expect("a file");
        let error = Tokenizer::load(&path).expect_err("a broken file").to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains("\nhelp: "), "{error}");
    }
    fs::write(&path, whole).expect("a file");
    let config = folder.path().join("tokenizer_config.json");
    for text in
        ["{", r#"{"add_bos_token": true}"#, r#"{"add_bos_token": true, "bos_token": "<x>"}"#]
    {
        fs::write(&config, text).expect("a file");
        let error = Tokenizer::load(&path).expect_err("a broken file").to_string();
        assert!(error.contains("tokenizer_config.json"), "{error}");
    }
}
