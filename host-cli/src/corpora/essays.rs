//! The essay haystack.

use std::{path::Path, sync::Arc};

use longseq_core::ruler::{
    corpus::{Essays, PastEnd, Sentences},
    is_space,
};
use serde::Deserialize;

use super::source::{Opened, Source};
use crate::{
    error::Result,
    sentences::{Prefixes, Span},
};

const BUILT_IN: &[&str] = &include!(concat!(env!("OUT_DIR"), "/essays.rs"));

/// Bytes of the longest word that is accepted.
const LONGEST_WORD: usize = 1 << 16;

/// Essays with white space collapsed to single spaces.
#[derive(Debug)]
pub struct EssayText {
    text: Arc<str>,
    /// Where each word ends, in bytes. A word lies between two spaces; it may be empty at the
    /// start and at the end of the text.
    word_ends: Vec<u32>,
    source: Source,
}

#[derive(Deserialize)]
struct EssayFile {
    text: String,
}

impl EssayText {
    /// Reads RULER's `PaulGrahamEssays.json` (`{"text": …}`) or plain text.
    pub(super) fn load(file: Option<&Path>) -> Result<Self> {
        let opened = match file {
            None => Opened::built_in("essays", BUILT_IN.join("\n\n")),
            Some(path) => Opened::file("essays", path)?,
        };
        let expected = "plain text, or JSON like {\"text\": \"…\"}";
        let is_json = file.is_some_and(|path| path.extension().is_some_and(|ext| ext == "json"));
        let text = if is_json {
            let parsed: EssayFile = serde_json::from_str(&opened.text)
                .map_err(|source| opened.corrupt(source, expected))?;
            collapse(&parsed.text)
        } else {
            collapse(&opened.text)
        };
        if text.trim().is_empty() {
            return Err(opened.corrupt("there are no words in it", expected));
        }
        // Haystacks are counted in words: one of such words would take all memory.
        if text.split(' ').any(|word| word.len() > LONGEST_WORD) {
            let what = format!("it holds a word of more than {LONGEST_WORD} bytes");
            return Err(opened.corrupt(what, expected));
        }
        // `u32` is enough: a file of more than 1 GiB is not read.
        let spaces = text.bytes().enumerate().filter(|&(_, byte)| byte == b' ');
        let word_ends =
            spaces.map(|(at, _)| at).chain([text.len()]).map(|end| end as u32).collect();
        Ok(Self { text: text.into(), word_ends, source: opened.source })
    }

    /// Where it came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Number of words.
    pub fn words(&self) -> usize {
        self.word_ends.len()
    }

    /// A haystack over these essays, for one generator.
    pub fn haystack(&self) -> EssayHaystack<'_> {
        EssayHaystack {
            essays: self,
            start: leading_spaces(&self.text),
            repeated: None,
            prefixes: Prefixes::default(),
            spans: Vec::new(),
        }
    }
}

/// Python's `re.sub(r"\s+", " ", text)`.
fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut in_space = false;
    for c in text.chars() {
        let space = is_space(c);
        if !space {
            collapsed.push(c);
        } else if !in_space {
            collapsed.push(' ');
        }
        in_space = space;
    }
    collapsed
}

fn leading_spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// Sentences of the first so many words.
#[derive(Debug)]
pub struct EssayHaystack<'a> {
    essays: &'a EssayText,
    /// Bytes of white space before the first word that is not empty.
    start: usize,
    /// The essays several times over, once more words were asked for than there are.
    repeated: Option<Repeated>,
    prefixes: Prefixes,
    spans: Vec<Span>,
}

#[derive(Debug)]
struct Repeated {
    text: String,
    copies: usize,
}

impl EssayHaystack<'_> {
    /// Where word `index` ends, in bytes of the essays repeated for ever.
    fn word_end(&self, index: usize) -> usize {
        let ends = &self.essays.word_ends;
        let copy = self.essays.text.len() + 1;
        index / ends.len() * copy + ends[index % ends.len()] as usize
    }

    /// Makes the text hold `copies` copies. What was learned of a shorter text's end is void.
    fn repeat(&mut self, copies: usize) {
        let have = self.repeated.as_ref().map_or(1, |repeated| repeated.copies);
        if copies > have {
            let copies = copies.max(2 * have);
            let text = vec![&*self.essays.text; copies].join(" ");
            self.repeated = Some(Repeated { text, copies });
            self.prefixes = Prefixes::default();
        }
    }
}

impl Essays for EssayHaystack<'_> {
    fn words(&self) -> usize {
        self.essays.words()
    }

    fn sentences(&mut self, words: usize, past_end: PastEnd) -> Sentences<'_> {
        let words = match past_end {
            PastEnd::Repeat => words,
            PastEnd::Stop => words.min(self.words()),
        };
        self.repeat(words.div_ceil(self.words()));
        let end = words.checked_sub(1).map_or(0, |last| self.word_end(last));
        let text = match &self.repeated {
            Some(repeated) => &repeated.text,
            None => &*self.essays.text,
        };
        let text = &text[self.start..];
        self.prefixes.split(text, end.saturating_sub(self.start), &mut self.spans);
        Sentences { text, spans: &self.spans }
    }
}
