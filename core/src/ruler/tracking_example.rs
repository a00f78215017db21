//! The worked example of `vt`: its text, kept as drawn and as it stands in the prompt drawn last.

use core::fmt::{self, Write};

use super::budget::Draws;
use super::tracking_prompt::{MOST_STATEMENTS, Name};
use super::variable_tracking::{LETTERS, VALUES};

/// The example's value in profile `ruler`, before it is replaced.
pub(crate) const EXAMPLE_VALUE: u32 = 12_345;

/// The worked example.
pub(crate) struct Example<'a> {
    /// Whether it is still to be written.
    pub(crate) due: bool,
    names: [Name; MOST_STATEMENTS],
    pub(crate) tokens: usize,
    /// The text as drawn, and with new names.
    pub(crate) text: &'a mut [u8],
    renamed: &'a mut [u8],
    len: usize,
}

impl<'a> Example<'a> {
    /// Nothing is written yet; `due` says whether there will be an example.
    pub(crate) fn new(buffer: &'a mut [u8], due: bool) -> Self {
        let (text, renamed) = buffer.split_at_mut(buffer.len() / 2);
        let names = [Name::default(); MOST_STATEMENTS];
        Self { due, names, tokens: 0, text, renamed, len: 0 }
    }

    /// Whether there is one.
    pub(crate) fn is_written(&self) -> bool {
        self.len > 0
    }

    /// The text as it stands in the prompt drawn last.
    pub(crate) fn renamed(&self) -> &str {
        // Letters and digits replaced by as many keep the text UTF-8.
        core::str::from_utf8(&self.renamed[..self.len]).unwrap_or_default()
    }

    /// Keeps the first `len` bytes of `text`, which is the buffer taken from here.
    pub(crate) fn keep(&mut self, text: &'a mut [u8], len: usize, names: [Name; MOST_STATEMENTS]) {
        self.renamed[..len].copy_from_slice(&text[..len]);
        (self.text, self.len, self.names, self.due) = (text, len, names, false);
    }

    /// Gives it new names and a new value, one replacement after the other: a new name that equals
    /// an old one still to come is replaced again.
    pub(crate) fn rename(&mut self, statements: usize, draws: &mut Draws) {
        let (text, renamed) = (&self.text[..self.len], &mut self.renamed[..self.len]);
        renamed.copy_from_slice(text);
        for old in &self.names[..statements] {
            replace(renamed, old.letters(), &draws.random.letters::<3>(LETTERS));
        }
        let mut digits = [0; 5];
        let mut value = draws.numpy.integer(VALUES.0, VALUES.1);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
        }
        replace(renamed, b"12345", &digits);
    }
}

/// Replaces `old` by `new`, which is as long, wherever it occurs.
fn replace(text: &mut [u8], old: &[u8], new: &[u8]) {
    let mut at = 0;
    while at + old.len() <= text.len() {
        if text[at..].starts_with(old) {
            text[at..at + old.len()].copy_from_slice(new);
            at += old.len();
        } else {
            at += 1;
        }
    }
}

/// Text written into a buffer.
pub(crate) struct Bytes<'b> {
    pub(crate) buffer: &'b mut [u8],
    pub(crate) len: usize,
}

impl<'b> Bytes<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }
}

impl Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.buffer.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
