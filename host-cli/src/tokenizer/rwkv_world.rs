//! The vocabulary of the RWKV World models: the longest token that fits, from left to right, over
//! the bytes of a text.
//!
//! Source: `rwkv_vocab_v20230424.txt` and its reader, published with RWKV-LM. A line is
//! `<id> <Python literal> <length in bytes>`. Id 0 ends a text and has no line.

use std::{collections::HashMap, path::Path};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use indexmap::{IndexMap, map::Entry};

use super::python_literal;
use crate::{
    error::{Error, Result},
    files,
};

/// The id that ends a text and stands before one.
pub const END_OF_TEXT: u32 = 0;

/// The published file has 1 MB. Reading one of random tokens takes 50 times its size of memory.
const MOST_BYTES: u64 = 1 << 22;

/// The published tokens have up to 128 bytes. Encoding may look so far ahead for each token.
const MOST_TOKEN_BYTES: usize = 1024;

/// A loaded vocabulary.
#[derive(Debug)]
pub struct World {
    /// Ids by token, in the order of the file.
    ids: IndexMap<Vec<u8>, u32>,
    /// Where in `ids` the token of an id is.
    places: HashMap<u32, usize>,
    /// Finds tokens by their places in `ids`.
    finder: AhoCorasick,
}

impl World {
    /// The content of a vocabulary's file; `path` is for errors.
    pub fn parse(content: &[u8], path: &Path) -> Result<Self> {
        let refuse = |what: String| {
            Error::new(format!("{}{what}", path.display()))
                .help("name the rwkv_vocab_v20230424.txt that the model was published with")
        };
        let text = std::str::from_utf8(content).map_err(|source| {
            let before = &content[..source.valid_up_to()];
            refuse(format!(", line {}: it is not UTF-8", 1 + count_lines(before)))
        })?;
        let (mut ids, mut places) = (IndexMap::new(), HashMap::new());
        for (number, line) in (1..).zip(text.lines()) {
            let refuse = |what: String| refuse(format!(", line {number}: {what}"));
            let (id, token) = entry(line).map_err(refuse)?;
            if places.insert(id, ids.len()).is_some() {
                return Err(refuse(format!("the id {id} was given to a token before")));
            }
            match ids.entry(token) {
                Entry::Occupied(same) => {
                    return Err(refuse(format!("the token has the id {} already", same.get())));
                }
                Entry::Vacant(new) => new.insert(id),
            };
        }
        if let Some(byte) = (0..=u8::MAX).find(|&byte| !ids.contains_key([byte].as_slice())) {
            let what = format!(": the byte 0x{byte:02X} is no token, so not every text has ids");
            return Err(refuse(what));
        }
        // Faster on text than the default, which grows to 120 MB, and built in a third of its time.
        let finder = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(ids.keys())
            .map_err(|source| refuse(format!(" cannot be searched for: {source}")))?;
        Ok(Self { ids, places, finder })
    }

    /// Reads a vocabulary's file.
    pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
        files::read_at_most(path, MOST_BYTES)
    }

    /// One more than the highest id.
    pub fn vocabulary(&self) -> usize {
        self.ids.values().max().map_or(1, |&id| id as usize + 1)
    }

    /// Token ids of any bytes. As each byte is a token, the leftmost longest matches leave no gap
    /// and are what a greedy search finds.
    pub fn encode(&self, bytes: &[u8]) -> Vec<u32> {
        self.finder.find_iter(bytes).map(|found| self.ids[found.pattern().as_usize()]).collect()
    }

    /// How many ids [`Self::encode`] gives.
    pub fn count(&self, bytes: &[u8]) -> usize {
        self.finder.find_iter(bytes).count()
    }

    /// The bytes of token ids; ids without a token have none.
    pub fn decode(&self, ids: &[u32]) -> Vec<u8> {
        let places = ids.iter().filter_map(|id| self.places.get(id));
        let tokens = places.filter_map(|&place| self.ids.get_index(place));
        tokens.flat_map(|(token, _)| token).copied().collect()
    }

    /// The text of token ids as far as it stands whatever ids follow: all but an incomplete
    /// character at the end.
    pub fn decode_settled(&self, ids: &[u32]) -> String {
        let mut bytes = self.decode(ids);
        let last = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
        if std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none()) {
            bytes.truncate(bytes.len() - last.len());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The id and the token of a line, or what is wrong with it.
fn entry(line: &str) -> Result<(u32, Vec<u8>), String> {
    let fields = line.split_once(' ').and_then(|(id, rest)| {
        let (literal, length) = rest.rsplit_once(' ')?;
        Some((id, literal, length))
    });
    let (id, literal, length) = fields
        .ok_or("it is not of the form <id> <Python string or bytes literal> <length in bytes>")?;
    let id = match number(id) {
        Some(END_OF_TEXT) => return Err("the id 0 ends a text and can have no token".to_owned()),
        Some(id) => id,
        None => return Err(format!("{id:?} is no id: a whole number from 1 to {}", u32::MAX)),
    };
    let token = python_literal::parse(literal)
        .map_err(|what| format!("{literal} is no Python string or bytes literal: {what}"))?;
    match number(length) {
        Some(length) if length as usize == token.len() => {}
        _ => return Err(format!("the token has {} bytes, not {length:?}", token.len())),
    }
    match token.len() {
        0 => Err("the token is empty".to_owned()),
        1..=MOST_TOKEN_BYTES => Ok((id, token)),
        long => Err(format!("the token has {long} bytes; up to {MOST_TOKEN_BYTES} are read")),
    }
}

/// Digits only: `parse` takes a sign as well.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}
