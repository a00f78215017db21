//! Does a sentence end here? Kiss and Strunk's two passes over the words around a candidate.

use std::{borrow::Cow, sync::LazyLock};

use punkt_n::TrainingData;
use regex::Regex;

use super::words::Words;

static ENGLISH: LazyLock<TrainingData> = LazyLock::new(TrainingData::english);

/// Flags of a word's orthographic context: how the training text wrote its first letter where.
mod seen {
    pub const UPPER: u8 = 2 | 4 | 8;
    pub const UPPER_INSIDE: u8 = 4;
    pub const LOWER: u8 = 16 | 32 | 64;
    pub const LOWER_AT_START: u8 = 16;
}

/// The type of every numeric word.
const NUMBER: &str = "##number##";

#[derive(Debug)]
struct Word<'a> {
    text: &'a str,
    /// Lower case; numbers are one type.
    kind: Cow<'a, str>,
    ends_sentence: bool,
    /// An abbreviation or an ellipsis.
    abbreviates: bool,
}

/// Whether a word of `context` other than the last ends a sentence.
pub fn has_sentence_end(context: &str) -> bool {
    let lines = context.split('\n');
    let mut words: Vec<Word<'_>> = lines.flat_map(Words::new).map(first_pass).collect();
    (1..words.len()).any(|index| {
        let (before, after) = words.split_at_mut(index);
        second_pass(&mut before[index - 1], &after[0]);
        before[index - 1].ends_sentence
    })
}

/// What a word says by itself.
fn first_pass(text: &str) -> Word<'_> {
    let mut word = Word { text, kind: kind(text), ends_sentence: false, abbreviates: false };
    if matches!(text, "." | "?" | "!") {
        word.ends_sentence = true;
    } else if is_ellipsis(text) {
        word.abbreviates = true;
    } else if text.ends_with('.') && !text.ends_with("..") {
        word.abbreviates = is_abbreviation(&text[..text.len() - 1].to_lowercase());
        word.ends_sentence = !word.abbreviates;
    }
    word
}

/// What the next word says about it.
fn second_pass(word: &mut Word<'_>, next: &Word<'_>) {
    if !word.text.ends_with('.') {
        return;
    }
    let kind = without_period(&word.kind);
    let next_kind = sentence_kind(next);
    let is_initial = is_initial(word.text);

    if ENGLISH.contains_collocation(kind, next_kind) {
        word.ends_sentence = false;
        return;
    }
    let starter = is_sentence_starter(next);
    if word.abbreviates && !is_initial {
        let frequent = || starts_upper(next) && ENGLISH.contains_sentence_starter(next_kind);
        if starter == Some(true) || frequent() {
            word.ends_sentence = true;
            return;
        }
    }
    if is_initial || kind == NUMBER {
        let never_lower = || ENGLISH.get_orthographic_context(next_kind) & seen::LOWER == 0;
        let name = || is_initial && starts_upper(next) && never_lower();
        if starter == Some(false) || (starter.is_none() && name()) {
            word.ends_sentence = false;
        }
    }
}

/// Whether the way a word is written says that it starts a sentence, if it says anything.
fn is_sentence_starter(word: &Word<'_>) -> Option<bool> {
    if matches!(word.text, ";" | ":" | "," | "." | "!" | "?") {
        return Some(false);
    }
    let context = ENGLISH.get_orthographic_context(sentence_kind(word));
    let has = |flags: u8| context & flags != 0;
    if starts_upper(word) && has(seen::LOWER) && !has(seen::UPPER_INSIDE) {
        Some(true)
    } else if word.text.starts_with(char::is_lowercase)
        && (has(seen::UPPER) || !has(seen::LOWER_AT_START))
    {
        Some(false)
    } else {
        None
    }
}

fn starts_upper(word: &Word<'_>) -> bool {
    word.text.starts_with(char::is_uppercase)
}

fn kind(text: &str) -> Cow<'_, str> {
    static NUMERIC: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^-?[.,]?\d[\d,.-]*\.?$").expect("a constant expression"));
    if NUMERIC.is_match(text) { Cow::Borrowed(NUMBER) } else { Cow::Owned(text.to_lowercase()) }
}

/// The type of a word for lookups: without the period that ends a sentence.
fn sentence_kind<'a>(word: &'a Word<'_>) -> &'a str {
    if word.ends_sentence { without_period(&word.kind) } else { &word.kind }
}

fn without_period(kind: &str) -> &str {
    match kind.strip_suffix('.') {
        None | Some("") => kind,
        Some(rest) => rest,
    }
}

fn is_ellipsis(text: &str) -> bool {
    text.len() >= 2 && text.bytes().all(|byte| byte == b'.')
}

/// `stem` is the word in lower case without its period.
fn is_abbreviation(stem: &str) -> bool {
    ENGLISH.contains_abbrev(stem)
        || stem.rsplit_once('-').is_some_and(|(_, tail)| ENGLISH.contains_abbrev(tail))
}

/// One letter (or a number that is no decimal digit, or `_`) and a period.
fn is_initial(text: &str) -> bool {
    static INITIAL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nl}\p{No}_]\.$").expect("a constant expression"));
    INITIAL.is_match(text)
}
