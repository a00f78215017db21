//! Punkt's words: punctuation is split off, but a final period stays with its word.

use longseq_core::ruler::is_space;

use super::ends_word;

/// Words of one line, from left to right.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// Words of `line`, which holds no line feed.
    pub fn new(line: &'a str) -> Self {
        Self { rest: line }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start_matches(is_space);
        let first = text.chars().next()?;
        let length = punctuation_run(text).unwrap_or_else(|| {
            if starts_word(first) { word_length(text) } else { first.len_utf8() }
        });
        let (word, rest) = text.split_at(length);
        self.rest = rest;
        Some(word)
    }
}

fn starts_word(c: char) -> bool {
    !matches!(
        c,
        '(' | '"'
            | '`'
            | '{'
            | '['
            | ':'
            | ';'
            | '&'
            | '#'
            | '*'
            | '@'
            | ')'
            | '}'
            | ']'
            | '-'
            | ','
    )
}

/// Bytes of a word that starts at the start of `text`: at least one character, up to the first
/// place where a word can end.
fn word_length(text: &str) -> usize {
    text.char_indices()
        .skip(1)
        .find(|&(at, c)| match c {
            ',' => is_word_end(&text[at + 1..]),
            _ => is_word_end(&text[at..]),
        })
        .map_or(text.len(), |(at, _)| at)
}

fn is_word_end(rest: &str) -> bool {
    match rest.chars().next() {
        None => true,
        Some(c) => is_space(c) || ends_word(c) || punctuation_run(rest).is_some(),
    }
}

/// Bytes of a dash `--…`, an ellipsis `..…` or a spaced ellipsis `. . .…` at the start of `text`.
fn punctuation_run(text: &str) -> Option<usize> {
    let run = |mark: u8| text.bytes().take_while(|&byte| byte == mark).count();
    match text.bytes().next()? {
        b'-' if run(b'-') >= 2 => Some(run(b'-')),
        b'.' if run(b'.') >= 2 => Some(run(b'.')),
        b'.' => spaced_ellipsis(text),
        _ => None,
    }
}

/// At least three periods with one white space character between any two.
fn spaced_ellipsis(text: &str) -> Option<usize> {
    let mut length = 1;
    let mut periods = 1;
    loop {
        let mut following = text[length..].chars();
        match (following.next(), following.next()) {
            (Some(space), Some('.')) if is_space(space) => {
                length += space.len_utf8() + 1;
                periods += 1;
            }
            _ => return (periods >= 3).then_some(length),
        }
    }
}
