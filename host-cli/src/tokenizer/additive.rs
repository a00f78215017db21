//! Where token counts add up.
//!
//! A byte-level BPE tokenizer cuts a text into pieces by a regular expression and encodes each
//! piece by itself. The three expressions below never let a piece run across a single space
//! between an ASCII character that is not white space and an ASCII letter or digit: white space
//! stands only at the start of a piece, or in a piece of nothing else. The piece that starts at
//! such a space does not depend on what is before it, and what is before ends in no white space,
//! so no look-ahead sees the difference. NFC does not change anything across a space either.
//!
//! A SentencePiece BPE tokenizer writes spaces as `▁` and encodes the text as one piece. Where no
//! token of the vocabulary has a `▁` after another character, no merge runs across such a space,
//! and merges on one side do not depend on the other. Llama 2's puts a `▁` before the text, so a
//! piece that does not start the text is counted behind a word, whose tokens are taken off again.
//! Gemma's puts none, and nothing needs to stand before a piece.
//!
//! Hence: tokens of the whole = sum of the tokens of the pieces cut before such spaces.

use serde_json::{Value, json};

/// GPT-2's and GPT-NeoX's expression, what `ByteLevel` does by itself; GPT-4's with the digits
/// in groups of up to three (Llama 3), and one by one (Qwen 2).
const KNOWN_SPLITS: [&str; 3] = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
];

/// How counts of pieces make the count of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counting {
    /// They do not.
    Whole,
    /// Each piece is counted by itself.
    Pieces,
    /// Each piece but the first is counted behind a word. A text with one of these added tokens in
    /// it is counted whole: the text after it starts anew.
    BehindWord(Vec<String>),
}

impl Counting {
    /// What the `tokenizer.json` allows.
    pub fn of(json: &Value) -> Self {
        let model = &json["model"];
        let is_bpe = model["type"].as_str() == Some("BPE") && model["dropout"].is_null();
        let added = &json["added_tokens"];
        let (by_bytes, by_marks) =
            (is_bpe && is_byte_level_bpe(json), is_bpe && merges_marks(model));
        if (by_bytes && added_tokens_keep_cuts(added))
            || (by_marks && only_writes_marks(json) && added_tokens_keep_marks(added))
        {
            Self::Pieces
        } else if by_marks && writes_marks_and_one_in_front(json) {
            let contents = added.as_array().into_iter().flatten();
            let contents = contents.map(|token| token["content"].as_str().unwrap_or_default());
            Self::BehindWord(contents.map(str::to_owned).collect())
        } else {
            Self::Whole
        }
    }
}

fn is_byte_level_bpe(json: &Value) -> bool {
    let normalizer = &json["normalizer"];
    let plain_text = normalizer.is_null() || normalizer["type"].as_str() == Some("NFC");
    let pre_tokenizer = &json["pre_tokenizer"];
    let known_split = match pre_tokenizer["type"].as_str() {
        Some("Sequence") => match pre_tokenizer["pretokenizers"].as_array().map(Vec::as_slice) {
            Some([split, bytes]) => is_known_split(split) && is_byte_level(bytes, false),
            _ => false,
        },
        _ => is_byte_level(pre_tokenizer, true),
    };
    plain_text && known_split
}

/// Gemma's way to say that spaces become `▁`. Its split at spaces finds none then.
fn only_writes_marks(json: &Value) -> bool {
    let space = json!({"String": " "});
    let split = json!({
        "type": "Split", "pattern": space, "behavior": "MergedWithPrevious", "invert": false,
    });
    let pre_tokenizer = &json["pre_tokenizer"];
    json["normalizer"] == json!({"type": "Replace", "pattern": space, "content": "▁"})
        && (pre_tokenizer.is_null() || *pre_tokenizer == split)
}

/// Llama 2's two ways to say that spaces become `▁` and one is put in front.
fn writes_marks_and_one_in_front(json: &Value) -> bool {
    let (normalizer, pre_tokenizer) = (&json["normalizer"], &json["pre_tokenizer"]);
    let by_normalizer = json!({"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    ]});
    let by_pre_tokenizer = pre_tokenizer["type"].as_str() == Some("Metaspace")
        && pre_tokenizer["replacement"].as_str() == Some("▁")
        && pre_tokenizer["split"].as_bool() == Some(false);
    (*normalizer == by_normalizer && pre_tokenizer.is_null())
        || (normalizer.is_null() && by_pre_tokenizer)
}

/// Merges are all that makes tokens, and no token has `▁` after another character; what is beside
/// a cut is a token, never unknown.
fn merges_marks(model: &Value) -> bool {
    let Some(vocab) = model["vocab"].as_object() else { return false };
    let known = |c: char| vocab.contains_key(c.encode_utf8(&mut [0; 4]) as &str);
    let plain = |affix: &str| model[affix].as_str().is_none_or(str::is_empty);
    model["ignore_merges"].as_bool() != Some(true)
        && ["continuing_subword_prefix", "end_of_word_suffix"].into_iter().all(plain)
        && ('!'..='~').chain(['▁']).all(known)
        && vocab.keys().all(|token| starts_with_marks(token))
}

fn starts_with_marks(token: &str) -> bool {
    !token.trim_start_matches('▁').contains('▁')
}

fn is_byte_level(json: &Value, use_regex: bool) -> bool {
    json["type"].as_str() == Some("ByteLevel")
        && json["add_prefix_space"].as_bool() == Some(false)
        && json["use_regex"].as_bool().unwrap_or(true) == use_regex
}

fn is_known_split(json: &Value) -> bool {
    json["type"].as_str() == Some("Split")
        && json["behavior"].as_str() == Some("Isolated")
        && json["invert"].as_bool() != Some(true)
        && json["pattern"]["Regex"].as_str().is_some_and(|regex| KNOWN_SPLITS.contains(&regex))
}

/// An added token must not hold a cut, nor take white space from its neighbours.
fn added_tokens_keep_cuts(json: &Value) -> bool {
    let keeps = |token: &Value| {
        let content = token["content"].as_str().unwrap_or(" a");
        let space = content.contains(char::is_whitespace);
        let only_space = content.chars().all(char::is_whitespace);
        (!space || only_space)
            && ["single_word", "lstrip", "rstrip"]
                .iter()
                .all(|option| token[option].as_bool() == Some(false))
    };
    json.as_array().is_none_or(|tokens| tokens.iter().all(keeps))
}

/// The same where an added token may be looked for once spaces are marks.
fn added_tokens_keep_marks(json: &Value) -> bool {
    let keeps = |token: &Value| token["content"].as_str().is_some_and(starts_with_marks);
    added_tokens_keep_cuts(json) && json.as_array().is_none_or(|tokens| tokens.iter().all(keeps))
}

/// The pieces of a text over which counts add up: mostly words.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    cut(text, |before| before.is_ascii_graphic())
}

/// The same with fewer cuts: mostly sentences.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    cut(text, |before| matches!(before, b'.' | b'?' | b'!'))
}

/// Cuts before each space that a letter or digit follows and that `may_follow` allows after the
/// character before it.
fn cut(text: &str, may_follow: impl Fn(u8) -> bool) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let is_cut = move |&at: &usize| {
        bytes[at] == b' ' && bytes[at + 1].is_ascii_alphanumeric() && may_follow(bytes[at - 1])
    };
    let last = bytes.len().saturating_sub(1);
    let cuts = (1..last.max(1)).filter(is_cut).chain([bytes.len()]);
    cuts.scan(0, |start, end| Some(&text[std::mem::replace(start, end)..end]))
}
