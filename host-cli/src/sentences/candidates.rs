//! Characters that may end a sentence.

use longseq_core::ruler::is_space;

use super::ends_word;

/// A `.`, `?` or `!` before punctuation or before white space and another word.
/// All positions are bytes of the text.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Where the word before it starts.
    pub word: u32,
    /// Where it stands.
    pub at: u32,
    /// Where the text that its judgement reads ends.
    pub context_end: u32,
    /// Where a new sentence would start.
    pub next: u32,
}

/// Candidates of a text from left to right.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    found: Vec<Candidate>,
    scanned: usize,
}

impl Candidates {
    /// Every candidate before byte `end`, and perhaps some after it. `text` is the same on
    /// every call.
    pub fn before(&mut self, text: &str, end: usize) -> &[Candidate] {
        let bytes = text.as_bytes();
        while self.scanned < end {
            let at = self.scanned;
            self.scanned += 1;
            if matches!(bytes[at], b'.' | b'?' | b'!')
                && let Some((next, context_end)) = after(text, at + 1)
            {
                let word = word_before(bytes, self.found.last(), at);
                let [at, next, context_end] = [at, next, context_end].map(|byte| byte as u32);
                self.found.push(Candidate { word, at, context_end, next });
            }
        }
        &self.found
    }
}

/// Where the next sentence would start and where the context of the judgement ends, if what
/// follows a character makes it a candidate.
fn after(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = &text[from..];
    let first = rest.chars().next()?;
    if ends_word(first) {
        return Some((from, from + first.len_utf8()));
    }
    if !is_space(first) {
        return None;
    }
    let next = from + rest.find(|c| !is_space(c))?;
    let word = &text[next..];
    Some((next, next + word.find(is_space).unwrap_or(word.len())))
}

/// The word starts after the last ASCII white space since the candidate before. White space in
/// the very first place does not count (NLTK's own behaviour), and then, as where there is none,
/// the word is a continuation of the word of the candidate before.
fn word_before(bytes: &[u8], previous: Option<&Candidate>, at: usize) -> u32 {
    let (start, from) = previous.map_or((0, 0), |candidate| (candidate.word, candidate.at));
    let space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    match bytes[from as usize..at].iter().rposition(space) {
        None | Some(0) => start,
        Some(index) => from + index as u32 + 1,
    }
}
