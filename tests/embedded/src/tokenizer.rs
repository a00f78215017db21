//! Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019), as far as ASCII text needs it.
//!
//! The text is cut as the regular expression ` ?[\p{L}\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+` cuts it; in each piece the
//! pair that was merged first in training is merged first, the leftmost of equals.

use core::fmt;

use heapless::Vec;
use longseq_core::error::CapacityError;

use crate::image::Image;

/// The longest piece of a text, in bytes.
const LONGEST: usize = 256;

/// A vocabulary and its merges.
#[derive(Clone, Copy, Debug)]
pub struct Tokenizer<'a> {
    pieces: &'a [&'a [u8]],
    merges: &'a [[u16; 4]],
    /// The token of every byte.
    bytes: [Option<u16>; 256],
}

/// Why a text has no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenizeError {
    /// Only ASCII is known here; the host's tokenizers know everything.
    NotAscii {
        /// Where the other byte stands.
        at: usize,
    },
    /// A byte is no token.
    Unknown {
        /// The byte.
        byte: u8,
    },
    /// More tokens, or a longer piece, than there is room for.
    Capacity(CapacityError),
}

impl fmt::Display for TokenizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAscii { at } => write!(f, "byte {at} of the text is not ASCII"),
            Self::Unknown { byte } => write!(f, "no token for byte {byte}"),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TokenizeError {}

/// What a regular expression sees of a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Space,
    Other,
}

fn class(byte: u8) -> Class {
    match byte {
        b'\t'..=b'\r' | b' ' => Class::Space,
        _ if byte.is_ascii_alphanumeric() => Class::Word,
        _ => Class::Other,
    }
}

/// Bytes of the first piece of a text that is not empty.
fn first_piece(text: &[u8]) -> usize {
    let run = |from: usize, of: Class| {
        text.iter().skip(from).take_while(|&&byte| class(byte) == of).count()
    };
    let space = usize::from(text.first() == Some(&b' '));
    match run(space, Class::Word).max(run(space, Class::Other)) {
        0 => run(0, Class::Space),
        length => space + length,
    }
}

impl<'a> Tokenizer<'a> {
    /// The tokenizer of an image.
    pub fn new(image: &Image<'a>) -> Self {
        let mut bytes = [None; 256];
        for (token, piece) in (0..=u16::MAX).zip(image.pieces) {
            if let [byte] = **piece {
                bytes[usize::from(byte)] = Some(token);
            }
        }
        Self { pieces: image.pieces, merges: image.merges, bytes }
    }

    /// Hands the tokens of a text to `give`, in order.
    ///
    /// # Errors
    /// See [`TokenizeError`], and what `give` returns.
    pub fn encode(
        &self,
        text: &str,
        give: &mut dyn FnMut(u32) -> Result<(), CapacityError>,
    ) -> Result<(), TokenizeError> {
        if let Some(at) = text.bytes().position(|byte| !byte.is_ascii()) {
            return Err(TokenizeError::NotAscii { at });
        }
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            // At least one byte: every byte is of some class.
            let (piece, after) = rest.split_at(first_piece(rest).max(1));
            for &token in &self.merged(piece)? {
                give(u32::from(token)).map_err(TokenizeError::Capacity)?;
            }
            rest = after;
        }
        Ok(())
    }

    /// The tokens of one piece.
    fn merged(&self, piece: &[u8]) -> Result<Vec<u16, LONGEST>, TokenizeError> {
        let mut tokens = Vec::new();
        for &byte in piece {
            let token = self.bytes[usize::from(byte)].ok_or(TokenizeError::Unknown { byte })?;
            tokens.push(token).map_err(|_| {
                let what = "bytes of one piece of a text";
                TokenizeError::Capacity(CapacityError { what, needed: piece.len(), given: LONGEST })
            })?;
        }
        while let Some((at, result)) = self.best(&tokens) {
            tokens[at] = result;
            tokens.remove(at + 1);
        }
        Ok(tokens)
    }

    /// Where the pair of lowest rank begins, and what it becomes.
    fn best(&self, tokens: &[u16]) -> Option<(usize, u16)> {
        let merge = |(at, pair): (usize, &[u16])| {
            let found = self.merges.binary_search_by(|merge| merge[..2].cmp(pair)).ok()?;
            let [_, _, rank, result] = *self.merges.get(found)?;
            Some((rank, at, result))
        };
        let best = tokens.windows(2).enumerate().filter_map(merge).min();
        best.map(|(_, at, result)| (at, result))
    }

    /// The bytes of a token; none for a special or unknown one.
    pub fn bytes(&self, token: u32) -> &'a [u8] {
        self.pieces.get(token as usize).copied().unwrap_or_default()
    }
}
