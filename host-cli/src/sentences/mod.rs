//! Sentence boundaries as NLTK 3.9.1's English Punkt model finds them (Kiss and Strunk 2006,
//! "Unsupervised Multilingual Sentence Boundary Detection").
//!
//! `candidates` finds the characters that may end a sentence, `words` cuts the text around
//! one into words, `decision` judges it, `prefixes` turns the decisions into sentences.
//! The trained parameters (abbreviations, collocations, sentence starters, orthographic
//! contexts) are those published with NLTK; the decisions are this module's own, because
//! RULER's needle positions depend on every one of them.

mod candidates;
mod decision;
mod prefixes;
mod words;

pub use prefixes::Prefixes;

/// A sentence: start and end in bytes of the text.
pub type Span = (u32, u32);

/// Splits a text into sentences, without the white space between them.
///
/// The text is shorter than 4 GiB.
pub fn split(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    Prefixes::default().split(text, text.len(), &mut spans);
    spans
}

/// Punctuation that ends a word wherever it stands.
fn ends_word(c: char) -> bool {
    matches!(c, ')' | '"' | ';' | '}' | ']' | '*' | ':' | '@' | '\'' | '(' | '{' | '[' | '!' | '?')
}
