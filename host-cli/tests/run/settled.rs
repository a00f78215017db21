//! Text that is said to be settled stays, whatever tokens follow.

use longseq::tokenizer::Tokenizer;
use proptest::prelude::*;
use serde_json::json;

use crate::fake::byte_tokenizer;

/// A vocabulary as LLaMA's: pieces, bytes as fallback, one special token.
fn byte_fallback_tokenizer() -> Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    let mut vocabulary = serde_json::Map::new();
    for piece in ["<s>", "▁", "▁a", "b", "Σ", "�", "<0x41>", "<0x20>"] {
        vocabulary.insert(piece.to_owned(), vocabulary.len().into());
    }
    for byte in "é☃".bytes() {
        vocabulary.insert(format!("<0x{byte:02X}>"), vocabulary.len().into());
    }
    let special = json!({"id": 0, "content": "<s>", "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true});
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [special],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": true, "ignore_merges": false, "vocab": vocabulary, "merges": []},
    });
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    Tokenizer::load(&path).unwrap()
}

fn stays(tokenizer: &Tokenizer, ids: &[u32], skip_specials: bool) {
    let whole = tokenizer.decode(ids, skip_specials).unwrap();
    for end in 0..=ids.len() {
        let settled = tokenizer.decode_settled(&ids[..end], skip_specials).unwrap().unwrap();
        assert!(whole.starts_with(&settled), "{settled:?} is no prefix of {whole:?}");
    }
}

proptest! {
    #[test]
    fn byte_fallback(ids in prop::collection::vec(0_u32..13, 0..12), skip: bool) {
        thread_local!(static TOKENIZER: Tokenizer = byte_fallback_tokenizer());
        TOKENIZER.with(|tokenizer| stays(tokenizer, &ids, skip));
    }

    #[test]
    fn byte_level(text in "[a☃éΣ ]{0,6}", tail in prop::collection::vec(0_u32..256, 0..6)) {
        thread_local!(static TOKENIZER: Tokenizer = {
            byte_tokenizer(tempfile::tempdir().unwrap().path())
        });
        let ids: Vec<u32> = text.bytes().map(u32::from).chain(tail).collect();
        TOKENIZER.with(|tokenizer| stays(tokenizer, &ids, true));
    }
}

#[test]
fn text_is_settled_up_to_the_last_whole_character() {
    let tokenizer = byte_tokenizer(tempfile::tempdir().unwrap().path());
    let settled = |bytes: &[u8]| {
        let ids: Vec<u32> = bytes.iter().copied().map(u32::from).collect();
        tokenizer.decode_settled(&ids, true).unwrap().unwrap()
    };
    assert_eq!(settled("snow ☃".as_bytes()), "snow ☃");
    assert_eq!(settled(&"snow ☃".as_bytes()[..7]), "snow ");
}

#[test]
fn nothing_is_settled_by_a_decoder_that_rewrites() {
    let folder = tempfile::tempdir().unwrap();
    byte_tokenizer(folder.path());
    let path = folder.path().join("tokenizer.json");
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    json["decoder"] = json!({"type": "WordPiece", "prefix": "##", "cleanup": true});
    std::fs::write(&path, json.to_string()).unwrap();
    assert_eq!(Tokenizer::load(&path).unwrap().decode_settled(&[65], true).unwrap(), None);
}
