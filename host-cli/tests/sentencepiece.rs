//! `tokenizer.json` files of SentencePiece's kind give the ids of the sentencepiece library.

use std::{
    fs,
    path::{Path, PathBuf},
};

use longseq::tokenizer::Tokenizer;
use serde::Deserialize;

/// The folder of a tokenizer that SentencePiece trained.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tokenizers").join(name)
}

/// A text, and what the sentencepiece library makes of it.
#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

/// The tokenizers of both kinds with their BOS token and its id.
fn kinds() -> [(&'static str, &'static str, u32, Tokenizer, Vec<Case>); 2] {
    [("llama", "<s>", 1), ("gemma", "<bos>", 2)].map(|(name, bos, id)| {
        let folder = fixture(name);
        let cases = fs::read(folder.join("cases.json")).expect("cases");
        let cases: Vec<Case> = serde_json::from_slice(&cases).expect("cases in JSON");
        assert!(cases.len() > 50);
        (name, bos, id, Tokenizer::load(&folder).expect("a tokenizer"), cases)
    })
}

#[test]
fn ids_are_those_of_sentencepiece() {
    for (name, _, _, tokenizer, cases) in kinds() {
        for Case { text, ids, decoded } in cases {
            assert_eq!(tokenizer.encode(&text).expect("ids"), ids, "{name}: {text:?}");
            assert_eq!(tokenizer.decode(&ids, true).expect("text"), decoded, "{name}: {text:?}");
            // A mark that the text wrote itself cannot be told from a space.
            assert_eq!(decoded, text.replace('\u{2581}', " "), "{name}");
        }
    }
}

#[test]
fn one_bos_stands_in_front() {
    for (name, bos, id, tokenizer, cases) in kinds() {
        let found = tokenizer.bos().expect("a BOS");
        assert_eq!((found.id, found.token.as_str()), (id, bos));
        for Case { text, mut ids, .. } in cases {
            ids.insert(0, id);
            let plain = tokenizer.encode_prompt(&text).expect("ids");
            assert_eq!((&plain.ids, plain.bos), (&ids, 1), "{name}: {text:?}");
            let written = tokenizer.encode_prompt(&format!("{bos}{text}")).expect("ids");
            assert_eq!(written, plain, "{name}: {text:?}");
        }
    }
}

#[test]
fn settled_text_stays() {
    for (name, _, _, tokenizer, cases) in kinds() {
        for Case { text, ids, decoded } in cases {
            for end in 0..=ids.len() {
                let settled = tokenizer.decode_settled(&ids[..end], true).expect("text");
                let settled = settled.expect("a decoder that keeps text");
                assert!(decoded.starts_with(&settled), "{name}: {text:?} {settled:?}");
            }
        }
    }
}

/// The help holds the program that made the fixtures of these tests.
#[test]
fn a_model_without_json_is_refused_with_the_command_that_makes_one() {
    let script = include_str!("../../tests/fixtures/tokenizers/make.py");
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("it's a model");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("tokenizer.model"), "\n\x0e\n\x05<unk>").expect("a file");
    for named in [folder.clone(), folder.join("tokenizer.model")] {
        let error = Tokenizer::load(&named).expect_err("no tokenizer.json").to_string();
        let (what, help) = error.split_once("\nhelp: ").expect("a help line");
        assert!(what.contains("tokenizer.model is a SentencePiece model"), "{what}");
        let quoted = folder.display().to_string().replace('\'', r"'\''");
        assert!(help.ends_with(&format!(" '{quoted}'")), "{help}");
        let program = help.split('"').nth(1).expect("a program in quotes");
        assert!(script.contains(&format!("CONVERT = \"{program}\"\n")), "{help}");
    }
    let error = Tokenizer::load(Path::new("tokenizer.model")).expect_err("no file").to_string();
    assert!(error.ends_with(" '.'"), "{error}");
    // Where both are, the one that is read counts.
    let json = fixture("llama").join("tokenizer.json");
    fs::copy(json, folder.join("tokenizer.json")).expect("a file");
    Tokenizer::load(&folder).expect("the tokenizer.json");
}
