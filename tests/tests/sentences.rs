//! Sentences equal NLTK's, and those of a prefix equal those of the prefix alone.

use longseq::{
    corpora::{Corpora, CorpusFiles},
    sentences::{Prefixes, split},
};
use longseq_core::ruler::corpus::{Essays, PastEnd};
use longseq_tests::{fixtures, oracles};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
    #[serde(default)]
    essay: Vec<Prefix>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    sents: Vec<String>,
}

/// Sentences of a haystack's first words.
#[derive(Deserialize)]
struct Prefix {
    n_words: usize,
    n_sents: usize,
    /// Lengths of the first sentences in characters.
    lens: Vec<usize>,
    sha256_sents_lf: String,
}

fn read(path: &std::path::Path) -> Vectors {
    let json = std::fs::read(path).expect("vectors");
    serde_json::from_slice(&json).expect("vectors in JSON")
}

fn sentences(text: &str) -> Vec<&str> {
    split(text).into_iter().map(|(start, end)| &text[start as usize..end as usize]).collect()
}

fn check_cases(cases: &[Case]) {
    for case in cases {
        assert_eq!(sentences(&case.text), case.sents, "text: {:?}", case.text);
    }
}

#[test]
fn equal_nltk() {
    let vectors = read(&fixtures().join("ruler/sentences.json"));
    assert!(vectors.cases.len() >= 600);
    check_cases(&vectors.cases);
}

#[test]
fn equal_nltk_on_the_oracle() {
    let Some(oracles) = oracles() else { return };
    let vectors = read(&oracles.join("ruler/sentences.json"));
    check_cases(&vectors.cases);
    let essays = Some(oracles.join("ruler/inputs/PaulGrahamEssays.json"));
    check_prefixes(&vectors.essay, CorpusFiles { essays, ..CorpusFiles::default() });
}

#[test]
fn equal_nltk_on_the_built_in_essays() {
    let vectors = read(&fixtures().join("ruler/sentences.json"));
    assert!(vectors.essay.len() >= 70);
    check_prefixes(&vectors.essay, CorpusFiles::default());
}

fn check_prefixes(prefixes: &[Prefix], files: CorpusFiles) {
    let corpora = Corpora::new(files);
    let mut haystack = corpora.essays().expect("essays").haystack();
    for prefix in prefixes {
        let found = haystack.sentences(prefix.n_words, PastEnd::Repeat);
        let found: Vec<&str> = (0..found.spans.len()).map(|index| found.get(index)).collect();
        let lens: Vec<usize> = found.iter().map(|sentence| sentence.chars().count()).collect();
        assert_eq!(found.len(), prefix.n_sents, "{} words", prefix.n_words);
        assert_eq!(lens[..prefix.lens.len()], prefix.lens, "{} words", prefix.n_words);
        let joined = found.join("\n");
        let digest = longseq::digest::sha256_hex(joined.as_bytes());
        assert_eq!(digest, prefix.sha256_sents_lf, "{} words", prefix.n_words);
    }
}

/// Words and punctuation that meet in all ways.
fn word() -> impl Strategy<Value = String> {
    let parts = [
        "the", "The", "Mr", "J", "e.g", "U.S", "5", "3.14", "end", "however", ".", "!", "?", "..",
        "...", ")", "(", "\"", "'", "--", "-", ",", "]", "\u{e9}", "\u{201d}",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 1..4)
        .prop_map(|parts| parts.concat())
}

proptest! {
    /// Prefixes of one text, asked for in any order, are split as if each were alone.
    #[test]
    fn prefix_is_split_like_the_prefix_alone(
        words in prop::collection::vec(word(), 1..60),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let text = words.join(" ");
        let mut prefixes = Prefixes::default();
        let mut spans = Vec::new();
        for end in ends {
            let end = words[..=end.index(words.len())].join(" ").len();
            prefixes.split(&text, end, &mut spans);
            prop_assert_eq!(&spans, &split(&text[..end]));
        }
    }

    /// The haystack is the prefix of the essays repeated for ever, white space collapsed.
    #[test]
    fn haystack_is_a_prefix_of_the_repeated_words(
        words in prop::collection::vec(word(), 1..30),
        lead in any::<bool>(),
        trail in any::<bool>(),
        sizes in prop::collection::vec(0_usize..100, 1..8),
    ) {
        let around = |on: bool| if on { "\n\t" } else { "" };
        let text = format!("{}{}{}", around(lead), words.join("\n "), around(trail));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("essays.txt");
        std::fs::write(&file, &text).expect("a file");
        let corpora = Corpora::new(CorpusFiles { essays: Some(file), ..CorpusFiles::default() });
        let mut all: Vec<&str> = words.iter().map(String::as_str).collect();
        if lead { all.insert(0, ""); }
        if trail { all.push(""); }
        let essays = corpora.essays().expect("essays");
        prop_assert_eq!(essays.words(), all.len());
        let mut haystack = essays.haystack();
        for size in sizes {
            let repeated: Vec<&str> = all.iter().copied().cycle().take(size).collect();
            let expected = repeated.join(" ");
            let found = haystack.sentences(size, PastEnd::Repeat);
            let found: Vec<&str> = (0..found.spans.len()).map(|index| found.get(index)).collect();
            prop_assert_eq!(found, sentences(expected.trim()));
            let stopped = all[..size.min(all.len())].join(" ");
            let found = haystack.sentences(size, PastEnd::Stop);
            let found: Vec<&str> = (0..found.spans.len()).map(|index| found.get(index)).collect();
            prop_assert_eq!(found, sentences(stopped.trim()));
        }
    }
}
