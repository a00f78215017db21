//! Full Unicode lowering without a heap, as Python's `str.lower()` and Rust's `str::to_lowercase`.
//!
//! Two things make this more than a map over characters: `İ` becomes two characters, and `Σ`
//! becomes `ς` at the end of a word but `σ` elsewhere (The Unicode Standard, section 3.13,
//! `Final_Sigma`). Code points that Unicode added after the release a Python carries lower
//! differently there: CPython 3.11 has Unicode 14.

use core::char::ToLowercase;

use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

/// The characters of a text, lowered; made by [`lowercase`].
#[derive(Clone, Debug)]
pub struct Lowercase<'a> {
    text: &'a str,
    /// Byte offset to stop at; what follows is context only.
    end: usize,
    /// Byte offset of the next character to lower.
    next: usize,
    /// What is left of the last one's expansion.
    expansion: Option<ToLowercase>,
}

/// The characters of `text.lower()`.
pub fn lowercase(text: &str) -> Lowercase<'_> {
    Lowercase { text, end: text.len(), next: 0, expansion: None }
}

impl Lowercase<'_> {
    /// Stops at byte `end` of the text, a character boundary. Not the same as lowering the text
    /// cut there: what follows still decides whether a `Σ` ends its word.
    #[must_use]
    pub fn up_to(self, end: usize) -> Self {
        Self { end, ..self }
    }
}

impl Iterator for Lowercase<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(lowered) = self.expansion.as_mut().and_then(Iterator::next) {
            return Some(lowered);
        }
        if self.next >= self.end {
            return None;
        }
        let (before, rest) = self.text.split_at(self.next);
        let mut rest = rest.chars();
        let character = rest.next()?;
        self.next += character.len_utf8();
        if character == 'Σ' {
            let ends_word = next_is_cased(before.chars().rev()) && !next_is_cased(rest);
            return Some(if ends_word { 'ς' } else { 'σ' });
        }
        let expansion = self.expansion.insert(character.to_lowercase());
        expansion.next()
    }
}

/// Bytes of `text` whose lowering no appended text can change: all, except from a `Σ` on that only
/// case-ignorable characters follow (an appended letter makes it `σ`).
pub fn settled(text: &str) -> usize {
    let word = text.trim_end_matches(is_case_ignorable);
    word.strip_suffix('Σ').unwrap_or(text).len()
}

/// Whether the first character that is not case-ignorable is cased.
fn next_is_cased(mut characters: impl Iterator<Item = char>) -> bool {
    characters.find(|&c| !is_case_ignorable(c)).is_some_and(is_cased)
}

/// Unicode's derived property `Cased`.
fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || c.general_category() == Category::TitlecaseLetter
}

/// Unicode's derived property `Case_Ignorable`: five general categories, and the characters with
/// `Word_Break` = `MidLetter`, `MidNumLet` or `Single_Quote` that lie outside them.
fn is_case_ignorable(c: char) -> bool {
    let word_break = matches!(
        c,
        '\'' | '.'
            | ':'
            | '·'
            | '\u{387}'
            | '\u{55f}'
            | '\u{5f4}'
            | '‘'
            | '’'
            | '․'
            | '‧'
            | '︓'
            | '﹒'
            | '﹕'
            | '＇'
            | '．'
            | '：'
    );
    word_break
        || matches!(
            c.general_category(),
            Category::NonspacingMark
                | Category::EnclosingMark
                | Category::Format
                | Category::ModifierLetter
                | Category::ModifierSymbol
        )
}
