//! Token counts equal transformers', and add up over pieces.

use std::path::PathBuf;

use longseq::tokenizer::Tokenizer;
use longseq_core::ruler::corpus::CountTokens;
use longseq_tests::oracles;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
    essay_char_slices: Vec<Slice>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    n: usize,
}

/// Characters `slice[0]..slice[1]` of the oracle's essays.
#[derive(Deserialize)]
struct Slice {
    slice: [usize; 2],
    n: usize,
}

fn oracle_tokenizer() -> Option<(PathBuf, Tokenizer)> {
    let ruler = oracles()?.join("ruler");
    let tokenizer = Tokenizer::load(&ruler.join("inputs/tok4096")).expect("the oracle's tokenizer");
    Some((ruler, tokenizer))
}

#[test]
fn counts_equal_transformers() {
    let Some((ruler, tokenizer)) = oracle_tokenizer() else { return };
    let json = std::fs::read(ruler.join("tokens.json")).expect("vectors");
    let vectors: Vectors = serde_json::from_slice(&json).expect("vectors in JSON");
    let mut counter = tokenizer.counter();
    for case in &vectors.cases {
        assert_eq!(counter.count(&case.text), Ok(case.n), "text: {:?}", case.text);
        assert_eq!(tokenizer.encode(&case.text).expect("ids").len(), case.n);
    }
    let json = std::fs::read(ruler.join("inputs/PaulGrahamEssays.json")).expect("essays");
    let essays: serde_json::Value = serde_json::from_slice(&json).expect("essays in JSON");
    let text: Vec<char> = essays["text"].as_str().expect("text").chars().collect();
    for Slice { slice: [start, end], n } in vectors.essay_char_slices {
        let text: String = text[start..end].iter().collect();
        assert_eq!(counter.count(&text), Ok(n), "characters {start}..{end}");
    }
}
