//! Token counts, remembered piece by piece.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    sync::{PoisonError, atomic::Ordering},
};

use longseq_core::ruler::corpus::{CountError, CountTokens};

use super::{
    Tokenizer,
    additive::{Counting, pieces, sentences},
};
use crate::error::Error;

/// Tokens of what was seen so far. Most prompts of a cell hold the same sentences; a new one is
/// made of known pieces.
#[derive(Debug, Default)]
pub struct Memory {
    sentences: Known,
    pieces: Known,
}

type Known = HashMap<Box<str>, u32>;

/// A memory is emptied at this size: some 50 MB.
const MOST_KNOWN: usize = 1 << 18;

/// So many texts of a tokenizer are encoded whole as well, to see that the counts agree.
pub const CHECKED_TEXTS: usize = 2;

/// Counts tokens of texts, as [`Tokenizer::encode`] would give them.
#[derive(Debug)]
pub struct Counter<'a> {
    tokenizer: &'a Tokenizer,
    memory: Memory,
    text: String,
    /// Why the last count failed.
    pub error: Option<Error>,
}

impl<'a> Counter<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        let mut memories = tokenizer.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = memories.pop().unwrap_or_default();
        Self { tokenizer, memory, text: String::new(), error: None }
    }

    /// Tokens of `text` without BOS, EOS or other post-processor tokens.
    pub fn count_text(&mut self, text: &str) -> Result<usize, Error> {
        let Some(sum) = self.count_by_pieces(text)? else { return self.count_whole(text) };
        let decrement = |left: usize| left.checked_sub(1);
        let unchecked = &self.tokenizer.unchecked;
        if unchecked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, decrement).is_ok() {
            let whole = self.count_whole(text)?;
            if whole != sum {
                self.tokenizer.refuted.store(true, Ordering::Relaxed);
            }
            return Ok(whole);
        }
        Ok(sum)
    }

    /// The sum over the text's pieces, where the tokenizer and the text allow it.
    fn count_by_pieces(&mut self, text: &str) -> Result<Option<usize>, Error> {
        if !self.tokenizer.counts_by_pieces() {
            return Ok(None);
        }
        let mut rest = sentences(text);
        let mut sum = 0;
        if let Counting::BehindWord(added) = &self.tokenizer.counting {
            if added.iter().any(|token| text.contains(token.as_str())) {
                return Ok(None);
            }
            sum = rest.next().map_or(Ok(0), |first| self.count_whole(first))?;
        }
        for sentence in rest {
            sum += match self.memory.sentences.get(sentence) {
                Some(&count) => count as usize,
                None => self.learn(sentence)?,
            };
        }
        Ok(Some(sum))
    }

    fn learn(&mut self, sentence: &str) -> Result<usize, Error> {
        let mut sum = 0;
        for piece in pieces(sentence) {
            sum += match self.memory.pieces.get(piece) {
                Some(&count) => count as usize,
                None => {
                    let count = self.count_piece(piece)?;
                    remember(&mut self.memory.pieces, piece, count);
                    count
                }
            };
        }
        remember(&mut self.memory.sentences, sentence, sum);
        Ok(sum)
    }

    fn count_piece(&self, piece: &str) -> Result<usize, Error> {
        if let Counting::BehindWord(_) = self.tokenizer.counting {
            return Ok(self.count_whole(&format!("a{piece}"))? - self.count_whole("a")?);
        }
        self.count_whole(piece)
    }

    fn count_whole(&self, text: &str) -> Result<usize, Error> {
        self.tokenizer.count(text)
    }
}

fn remember(known: &mut Known, text: &str, count: usize) {
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    // A text has less than 4 GiB.
    known.insert(text.into(), count as u32);
}

impl CountTokens for Counter<'_> {
    fn count(&mut self, text: &dyn fmt::Display) -> Result<usize, CountError> {
        let mut buffer = std::mem::take(&mut self.text);
        buffer.clear();
        let written = write!(buffer, "{text}");
        let count = match written {
            Ok(()) => self.count_text(&buffer),
            Err(fmt::Error) => Err(Error::new("a prompt could not be written")),
        };
        self.text = buffer;
        count.map_err(|error| {
            self.error = Some(error);
            CountError
        })
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        let mut memories = self.tokenizer.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.push(memory);
    }
}
