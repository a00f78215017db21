//! RWKV World vocabularies: ids equal a search that tries every length, and broken files are named.
//!
//! The published vocabulary is not ours to copy: its cases need `LONGSEQ_ORACLES` and, in
//! `LONGSEQ_RWKV_VOCAB`, the path of `rwkv_vocab_v20230424.txt` (a file of the PyPI package `rwkv`).

use std::{fmt::Write as _, fs, path::Path, path::PathBuf, sync::LazyLock};

use longseq::{
    digest::sha256_hex,
    tokenizer::{Tokenizer, rwkv_world::World},
};
use longseq_core::ruler::corpus::CountTokens as _;
use proptest::prelude::*;
use serde::Deserialize;

const NAME: &str = "rwkv_vocab_v20230424.txt";

/// Tokens beside the 256 bytes: their literals, as `repr` and other writers of Python have them,
/// and their bytes.
const WORDS: [(&str, &[u8]); 24] = [
    ("'  '", b"  "),
    ("'aa'", b"aa"),
    ("'aab'", b"aab"),
    ("'aaaaaa'", b"aaaaaa"),
    ("'ab'", b"ab"),
    ("'ba'", b"ba"),
    ("'bab'", b"bab"),
    (r"'\n\n'", b"\n\n"),
    (r"'\r\n\t'", b"\r\n\t"),
    (r#"'"\''"#, b"\"'"),
    (r#""it's""#, b"it's"),
    (r"'\\n'", b"\\n"),
    (r"'\x00\x7f'", b"\x00\x7f"),
    (r"'\xa0'", b"\xc2\xa0"),
    (r"'\u200b'", b"\xe2\x80\x8b"),
    (r"'\U0001f600'", "😀".as_bytes()),
    ("'é'", "é".as_bytes()),
    ("'你好'", "你好".as_bytes()),
    (r"b'\xc3\xa9\xc3'", b"\xc3\xa9\xc3"),
    (r"b'\xf0\x9f'", b"\xf0\x9f"),
    (r#"b"'\"""#, b"'\""),
    (r"'\a\b\f\v\101\7a'", b"\x07\x08\x0c\x0bA\x07a"),
    (r"b'\377\0018'", b"\xff\x018"),
    (r"B'\\ a'", b"\\ a"),
];

fn line(id: usize, literal: &str, length: usize) -> String {
    format!("{id} {literal} {length}\n")
}

/// A line for each byte: id 1 for byte 0, as in the published file.
fn byte_lines() -> Vec<String> {
    (0..256).map(|byte| line(byte + 1, &format!("b'\\x{byte:02x}'"), 1)).collect()
}

fn word_lines() -> impl Iterator<Item = String> {
    let words = (300..).zip(WORDS);
    words.map(|(id, (literal, bytes))| line(id, literal, bytes.len()))
}

fn vocabulary() -> String {
    byte_lines().into_iter().chain(word_lines()).collect()
}

/// The same entries from the constants above alone.
fn entries() -> Vec<(u32, Vec<u8>)> {
    let bytes = (0..=u8::MAX).map(|byte| (u32::from(byte) + 1, vec![byte]));
    bytes.chain((300..).zip(WORDS.map(|(_, bytes)| bytes.to_vec()))).collect()
}

static WORLD: LazyLock<World> =
    LazyLock::new(|| World::parse(vocabulary().as_bytes(), Path::new(NAME)).expect("a vocabulary"));

/// At each place the longest token of all that fit there.
fn longest_matches(mut bytes: &[u8]) -> Vec<u32> {
    static ENTRIES: LazyLock<Vec<(u32, Vec<u8>)>> = LazyLock::new(entries);
    let mut ids = Vec::new();
    while !bytes.is_empty() {
        let fitting = ENTRIES.iter().filter(|(_, token)| bytes.starts_with(token));
        let (id, token) = fitting.max_by_key(|(_, token)| token.len()).expect("a byte");
        ids.push(*id);
        bytes = &bytes[token.len()..];
    }
    ids
}

/// A folder with a vocabulary and, perhaps, a `tokenizer_config.json`.
fn folder(vocabulary: &[u8], config: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(NAME), vocabulary).expect("a file");
    if let Some(config) = config {
        fs::write(folder.path().join("tokenizer_config.json"), config).expect("a file");
    }
    folder
}

fn load(config: Option<&str>) -> Tokenizer {
    let folder = folder(vocabulary().as_bytes(), config);
    Tokenizer::load(folder.path()).expect("a tokenizer")
}

/// Bytes that make many of the words, and any others.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(WORDS.to_vec()).prop_map(|(_, bytes)| bytes.to_vec());
    let close = prop::sample::select(vec![b'a', b'b', b' ', b'\n', 0xc3, 0xf0, 0x9f, b'\'', b'\\']);
    let part = prop_oneof![word, prop::collection::vec(close, 0..8), any::<Vec<u8>>()];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn ids_are_those_of_the_longest_matches(bytes in any_bytes()) {
        let ids = WORLD.encode(&bytes);
        prop_assert_eq!(&ids, &longest_matches(&bytes));
        prop_assert_eq!(WORLD.count(&bytes), ids.len());
        prop_assert_eq!(WORLD.decode(&ids), bytes);
    }

    #[test]
    fn settled_text_stays(bytes in any_bytes(), at in any::<prop::sample::Index>()) {
        let ids = WORLD.encode(&bytes);
        let settled = WORLD.decode_settled(&ids[..at.index(ids.len() + 1)]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert!(text.starts_with(&settled), "{:?} {:?}", settled, text);
    }
}

/// Pieces of lines, in any order.
fn any_line() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "300", "0", "7", " ", " ", " ", "'", "'", "\"", "b", "\\", "\\x", "\\u", "\\U", "\\N",
        "\\0", "4", "1", "2", "f", "F00", "d800", "0010ffff", "a", "é", "😀", "\r", "\u{85}", "-",
        "+",
    ]);
    prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_line_is_read_or_refused(line in any_line()) {
        let content = byte_lines().concat() + &line + "\n";
        match World::parse(content.as_bytes(), Path::new(NAME)) {
            Ok(world) => prop_assert_eq!(world.vocabulary(), 301),
            Err(error) => prop_assert!(error.to_string().contains(", line 257: "), "{}", error),
        }
    }
}

#[test]
fn texts_are_encoded_as_their_bytes() {
    let tokenizer = load(None);
    for text in
        ["", "a", "aaaab  aab", "it's 你好 é😀\u{a0}\u{200b}\n\n", "<|endoftext|>", "\0\u{7f}"]
    {
        let ids = tokenizer.encode(text).expect("ids");
        assert_eq!(ids, longest_matches(text.as_bytes()), "{text:?}");
        assert_eq!(tokenizer.decode(&ids, true).expect("text"), text);
        assert_eq!(tokenizer.decode(&ids, false).expect("text"), text);
        assert_eq!(tokenizer.counter().count(&text), Ok(ids.len()), "{text:?}");
        let prompt = tokenizer.encode_prompt(text).expect("ids");
        assert_eq!((prompt.ids, prompt.bos), (ids, 0), "{text:?}");
    }
    assert!(!tokenizer.counts_by_pieces());
    assert_eq!(tokenizer.vocabulary(), 300 + WORDS.len());
    assert_eq!(tokenizer.sha256(), sha256_hex(vocabulary().as_bytes()));
    assert!(tokenizer.path().ends_with(NAME));
    assert_eq!(tokenizer.bos(), None);
}

#[test]
fn windows_line_ends_are_read() {
    let content = vocabulary().replace('\n', "\r\n");
    let world = World::parse(content.as_bytes(), Path::new(NAME)).expect("a vocabulary");
    assert_eq!(world.encode(b"aab\r\n"), WORLD.encode(b"aab\r\n"));
    World::parse(content.trim_end().as_bytes(), Path::new(NAME)).expect("no line end at the end");
}

#[test]
fn ids_without_a_token_have_no_text() {
    let tokenizer = load(None);
    for id in [0, 257, 299, 400, u32::MAX] {
        assert_eq!(tokenizer.decode(&[98, id, 99], false).expect("text"), "ab");
        assert_eq!(WORLD.decode(&[id]), b"");
    }
    // Not UTF-8.
    assert_eq!(tokenizer.decode(&[98, 256, 99], true).expect("text"), "a\u{fffd}b");
}

#[test]
fn only_an_incomplete_character_is_unsettled() {
    let tokenizer = load(None);
    let settled = |bytes: &[u8]| {
        let ids: Vec<u32> = bytes.iter().map(|&byte| u32::from(byte) + 1).collect();
        tokenizer.decode_settled(&ids, true).expect("text").expect("a text that stays")
    };
    assert_eq!(settled(b""), "");
    assert_eq!(settled(b"ab "), "ab ");
    assert_eq!(settled("aé".as_bytes()), "aé");
    assert_eq!(settled(b"a\xc3"), "a");
    assert_eq!(settled(b"a\xf0\x9f\x98"), "a");
    // These can become no character any more.
    assert_eq!(settled(b"a\xff"), "a\u{fffd}");
    assert_eq!(settled(b"a\xc3b"), "a\u{fffd}b");
    assert_eq!(settled(b"\xff\xc3"), "\u{fffd}");
    assert_eq!(settled(b"\xe4\xbd\xe4\xbd"), "\u{fffd}");
}

#[test]
fn bos_only_where_it_is_asked_for() {
    let cases = [
        (None, None),
        (Some("{}"), None),
        (Some(r#"{"add_bos_token": false, "bos_token": "<s>"}"#), None),
        (Some(r#"{"add_bos_token": true}"#), Some("<|endoftext|>")),
        (Some(r#"{"add_bos_token": true, "bos_token": {"content": "<s>"}}"#), Some("<s>")),
    ];
    for (config, expected) in cases {
        let tokenizer = load(config);
        let bos = tokenizer.bos().map(|bos| (bos.id, bos.token.as_str()));
        assert_eq!(bos, expected.map(|token| (0, token)), "{config:?}");
        let prompt = tokenizer.encode_prompt("<s>aab").expect("ids");
        let text = longest_matches(b"<s>aab");
        assert_eq!(prompt.ids, [vec![0; prompt.bos], text].concat(), "{config:?}");
        assert_eq!(prompt.bos, usize::from(expected.is_some()), "{config:?}");
    }
    let folder = folder(vocabulary().as_bytes(), Some("{"));
    let error = Tokenizer::load(folder.path()).expect_err("no JSON").to_string();
    assert!(error.contains("tokenizer_config.json is no JSON"), "{error}");
}

/// The error's text for all bytes and one more line, which is line 257.
fn refused(line: &str) -> String {
    let content = byte_lines().concat() + line;
    World::parse(content.as_bytes(), Path::new(NAME)).expect_err(line).to_string()
}

#[test]
fn broken_lines_are_named() {
    let long = format!("300 '{}' 1025", "a".repeat(1025));
    let cases = [
        ("", "not of the form"),
        ("300", "not of the form"),
        ("300 'ab'", "not of the form"),
        ("'ab' 300 2", "no id"),
        ("-1 'ab' 2", "no id"),
        ("+300 'ab' 2", "no id"),
        (" 'ab' 2", "no id"),
        ("4294967296 'ab' 2", "no id"),
        ("0 'ab' 2", "the id 0 ends a text"),
        ("7 'ab' 2", "the id 7 was given"),
        ("300 'a' 1", "the token has the id 98 already"),
        (r"300 b'\x61' 1", "the token has the id 98 already"),
        ("300 '' 0", "empty"),
        ("300 'ab' 3", "2 bytes, not \"3\""),
        ("300 'é' 1", "2 bytes, not \"1\""),
        ("300 'ab' two", "2 bytes, not \"two\""),
        ("300 'ab' ", "2 bytes, not \"\""),
        ("300 ab 2", "quotation mark"),
        ("300 r'ab' 2", "quotation mark"),
        ("300  'ab' 2", "quotation mark"),
        ("300 'ab 2", "never closed"),
        (r"300 'ab\' 2", "never closed"),
        ("300 'ab\" 2", "never closed"),
        ("300 'a'b' 2", "follows its closing"),
        ("300 'ab'  2", "follows its closing"),
        ("300 b'é' 2", "not ASCII"),
        (r"300 'a\q' 2", r"\q"),
        (r"300 'a\x4' 2", r"\x4"),
        (r"300 'a\x+4' 2", r"\x+4"),
        (r"300 '\u00e' 2", r"\u00e"),
        (r"300 '\ud800' 3", "U+D800 is no character"),
        (r"300 '\U00110000' 4", "U+110000 is no character"),
        (r"300 '\é' 2", r"\é"),
        (r"300 '\x€' 2", r"\x€"),
        (r"300 '\N{DASH}' 2", r"\N"),
        (r"300 b'\u0041' 1", r"\u0041"),
        (r"300 b'\400' 1", "256 is no byte"),
        (long.as_str(), "1025 bytes"),
    ];
    for (line, expected) in cases {
        for end in ["\n", "\r\n", "\nnonsense"] {
            let error = refused(&format!("{line}{end}"));
            assert!(error.contains(&format!("{NAME}, line 257: ")), "{line}: {error}");
            assert!(error.contains(expected), "{line}: {error}");
            assert!(error.contains("\nhelp: "), "{line}: {error}");
        }
    }
}

#[test]
fn broken_files_are_named() {
    let mut latin_1 = vocabulary().into_bytes();
    latin_1.extend(b"500 '\xe9' 1\n");
    let lines = byte_lines().len() + WORDS.len() + 1;
    let without = |byte: usize| {
        let mut lines = byte_lines();
        lines.remove(byte);
        lines.concat().into_bytes()
    };
    let cases = [
        (latin_1, format!("line {lines}: it is not UTF-8")),
        (without(0), "the byte 0x00 is no token".to_owned()),
        (without(0xff), "the byte 0xFF is no token".to_owned()),
        (Vec::new(), "the byte 0x00 is no token".to_owned()),
        (vec![b'\n'; (1 << 22) + 1], "larger than 4.00 MiB".to_owned()),
    ];
    for (content, expected) in cases {
        let folder = folder(&content, None);
        let path = folder.path().join(NAME);
        for named in [folder.path(), &path] {
            let error = Tokenizer::load(named).expect_err(&expected).to_string();
            assert!(error.contains(&expected), "{error}");
            assert!(error.contains(NAME) && error.contains("\nhelp: "), "{error}");
        }
    }
}

#[test]
fn a_tokenizer_json_comes_first() {
    let folder = folder(vocabulary().as_bytes(), None);
    fs::write(folder.path().join("tokenizer.json"), "{").expect("a file");
    let error = Tokenizer::load(folder.path()).expect_err("no JSON").to_string();
    assert!(error.contains("is no tokenizer.json"), "{error}");
    Tokenizer::load(&folder.path().join(NAME)).expect("the file that was named");
    let other = folder.path().join("words.txt");
    fs::write(&other, vocabulary()).expect("a file");
    Tokenizer::load(&other).expect("a file of any name");
}

#[derive(Deserialize)]
struct Oracle {
    sha256: String,
    max_id: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: Option<String>,
    hex: Option<String>,
    ids: Vec<u32>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let hex = self.hex.as_deref().unwrap_or_default().as_bytes();
        let pairs = hex.chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
        let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).expect("digits")).collect();
        self.text.as_ref().map_or(bytes, |text| text.clone().into_bytes())
    }
}

#[test]
fn the_published_vocabulary_gives_the_published_ids() {
    let variables = ["LONGSEQ_ORACLES", "LONGSEQ_RWKV_VOCAB"];
    let [Some(oracles), Some(path)] =
        variables.map(|name| std::env::var_os(name).map(PathBuf::from))
    else {
        return eprintln!("skipped: {} are not both set", variables.join(" and "));
    };
    let cases = fs::read(oracles.join("models/tokenizer/rwkv_world_cases.json")).expect("cases");
    let oracle: Oracle = serde_json::from_slice(&cases).expect("cases in JSON");
    let tokenizer = Tokenizer::load(&path).expect("the published vocabulary");
    assert_eq!(tokenizer.sha256(), oracle.sha256);
    assert_eq!(tokenizer.vocabulary(), oracle.max_id + 1);
    let content = fs::read(&path).expect("the published vocabulary");
    let world = World::parse(&content, &path).expect("the published vocabulary");
    let mut failed = String::new();
    for case in &oracle.cases {
        let bytes = case.bytes();
        let ids = world.encode(&bytes);
        if ids != case.ids || world.decode(&ids) != bytes {
            writeln!(failed, "{bytes:?}: {ids:?}, not {:?}", case.ids).expect("a string");
        }
        if let Some(text) = &case.text {
            assert_eq!(tokenizer.encode(text).expect("ids"), case.ids, "{text:?}");
        }
    }
    assert_eq!(oracle.cases.len(), 32);
    assert!(failed.is_empty(), "{failed}");
}
