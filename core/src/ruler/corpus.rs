//! What a generator draws its text from, and the one thing it asks of a tokenizer.

use core::fmt;

/// The tokenizer failed on a text; the implementor keeps the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountError;

impl fmt::Display for CountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tokenizer could not encode a prompt")
    }
}

impl core::error::Error for CountError {}

/// Counts tokens for the length budget.
pub trait CountTokens {
    /// Number of tokens of `text` without BOS, EOS or other post-processor tokens,
    /// as `len(tokenizer.tokenize(text))` in transformers.
    fn count(&mut self, text: &dyn fmt::Display) -> Result<usize, CountError>;
}

/// What follows the last word of the essays when more words are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastEnd {
    /// The essays again from their first word (profile `ruler`).
    Repeat,
    /// Nothing (profile `huang2025`).
    Stop,
}

/// Sentences of a text: `spans[i] = (start, end)` in bytes of `text`.
#[derive(Clone, Copy, Debug)]
pub struct Sentences<'a> {
    /// The text that was split.
    pub text: &'a str,
    /// Byte ranges of the sentences, in order, without the white space between them.
    pub spans: &'a [(u32, u32)],
}

impl<'a> Sentences<'a> {
    /// Sentence `index`.
    pub fn get(&self, index: usize) -> &'a str {
        let (start, end) = self.spans[index];
        &self.text[start as usize..end as usize]
    }
}

/// The essay haystack. Splitting sentences needs a trained model, so it is the host's part.
pub trait Essays {
    /// Number of words: white space collapsed to single spaces, then split at spaces
    /// (an empty first or last word counts).
    fn words(&self) -> usize;

    /// The first `words` words joined by single spaces, trimmed, and split into sentences as
    /// NLTK's English Punkt model does. The same `words` gives the same answer on every call.
    fn sentences(&mut self, words: usize, past_end: PastEnd) -> Sentences<'_>;
}

/// Word lists in file order, one word an entry, trailing white space removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct WordLists<'a> {
    /// wonderwords' `adjectivelist.txt` or the like.
    pub adjectives: &'a [&'a str],
    /// wonderwords' `nounlist.txt` or the like.
    pub nouns: &'a [&'a str],
    /// wonderwords' `verblist.txt` or the like.
    pub verbs: &'a [&'a str],
    /// RULER's `english_words.json` in file order: used when a list of common words
    /// needs more words than the three lists above have together.
    pub english: &'a [&'a str],
}

/// One question of a QA corpus.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The question.
    pub query: &'a str,
    /// Accepted answers, as often as the corpus lists them.
    pub answers: &'a [&'a str],
    /// Documents that belong to the question, as indices into [`QuestionSet::documents`].
    pub context: &'a [u32],
    /// Further documents to prefer as distractors (SQuAD: the article's other paragraphs).
    pub more: &'a [u32],
}

/// A QA corpus.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuestionSet<'a> {
    /// Distinct documents in code point order.
    pub documents: &'a [&'a str],
    /// Questions in file order.
    pub questions: &'a [Question<'a>],
}
