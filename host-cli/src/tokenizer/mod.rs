//! A model's tokenizer: token ids, token counts and who puts BOS in front.

mod additive;
mod bos;
pub mod config;
mod counter;
mod json;
mod load;
mod python_literal;
pub mod rwkv_world;
mod settled;

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use crate::{
    digest::sha256_hex,
    error::{Error, Result},
};

use additive::Counting;
pub use bos::Bos;
pub use counter::Counter;
use json::Json;
use rwkv_world::World;

/// A loaded tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    kind: Kind,
    path: PathBuf,
    sha256: String,
    vocabulary: usize,
    bos: Option<Bos>,
    counting: Counting,
    /// A check said that counts do not add up.
    refuted: AtomicBool,
    /// Texts whose count is still to be checked against encoding them whole.
    unchecked: AtomicUsize,
    /// Memories of idle counters.
    memories: Mutex<Vec<counter::Memory>>,
}

#[derive(Debug)]
enum Kind {
    Json(Box<Json>),
    World(World),
}

/// Tokens of a whole prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Token ids, BOS included.
    pub ids: Vec<u32>,
    /// How many BOS tokens stand at the start: 0 or 1 where the template writes none itself.
    pub bos: usize,
}

impl Tokenizer {
    fn new(
        kind: Kind,
        path: PathBuf,
        bytes: &[u8],
        vocabulary: usize,
        bos: Option<Bos>,
        counting: Counting,
    ) -> Self {
        Self {
            kind,
            path,
            sha256: sha256_hex(bytes),
            vocabulary,
            bos,
            counting,
            refuted: AtomicBool::new(false),
            unchecked: AtomicUsize::new(counter::CHECKED_TEXTS),
            memories: Mutex::default(),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the file, in lower-case hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// One more than the highest token id.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The token that goes in front of every prompt, if any.
    pub fn bos(&self) -> Option<&Bos> {
        self.bos.as_ref()
    }

    /// Refuses a model whose embedding has fewer rows (padding included) than there are ids.
    pub fn check_vocabulary(&self, model_rows: usize) -> Result<()> {
        if self.vocabulary <= model_rows {
            return Ok(());
        }
        Err(Error::new(format!(
            "the tokenizer {} has {} token ids, the model's vocabulary only {model_rows}",
            self.path.display(),
            self.vocabulary,
        ))
        .help("use the tokenizer that the model was trained with"))
    }

    /// Token ids of a text, without BOS, EOS or other post-processor tokens.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match &self.kind {
            Kind::Json(json) => json
                .encode(text)
                .map(|encoding| encoding.get_ids().to_vec())
                .map_err(|source| self.cannot("encode a text", &source)),
            Kind::World(world) => Ok(world.encode(text.as_bytes())),
        }
    }

    /// Token ids of a whole prompt, with BOS in front where the model expects one. A prompt
    /// whose template writes the BOS token itself gets no second one.
    pub fn encode_prompt(&self, prompt: &str) -> Result<Prompt> {
        let mut ids = self.encode(prompt)?;
        let Some(bos) = &self.bos else {
            return Ok(Prompt { ids, bos: 0 });
        };
        if ids.first() != Some(&bos.id) {
            ids.insert(0, bos.id);
        }
        let count = ids.iter().take_while(|&&id| id == bos.id).count();
        Ok(Prompt { ids, bos: count })
    }

    /// Text of token ids, with or without special tokens.
    pub fn decode(&self, ids: &[u32], skip_specials: bool) -> Result<String> {
        match &self.kind {
            Kind::Json(json) => json
                .inner
                .decode(ids, skip_specials)
                .map_err(|source| self.cannot(&format!("decode {ids:?}"), &source)),
            Kind::World(world) => Ok(String::from_utf8_lossy(&world.decode(ids)).into_owned()),
        }
    }

    /// The text of `ids` as far as it stands whatever ids follow; `None` where the decoder of the
    /// `tokenizer.json` is not known to keep any.
    pub fn decode_settled(&self, ids: &[u32], skip_specials: bool) -> Result<Option<String>> {
        match &self.kind {
            Kind::Json(json) => json
                .decode_settled(ids, skip_specials)
                .map_err(|source| self.cannot(&format!("decode {ids:?}"), &source)),
            Kind::World(world) => Ok(Some(world.decode_settled(ids))),
        }
    }

    /// Counts tokens for a generator; what it learns stays with the tokenizer.
    pub fn counter(&self) -> Counter<'_> {
        Counter::new(self)
    }

    /// Whether counts are summed over remembered pieces of a text, rather than taken from
    /// encoding all of it.
    pub fn counts_by_pieces(&self) -> bool {
        self.counting != Counting::Whole && !self.refuted.load(Ordering::Relaxed)
    }

    /// How many ids [`Self::encode`] gives.
    fn count(&self, text: &str) -> Result<usize> {
        match &self.kind {
            Kind::Json(json) => json
                .encode(text)
                .map(|encoding| encoding.len())
                .map_err(|source| self.cannot("encode a text", &source)),
            Kind::World(world) => Ok(world.count(text.as_bytes())),
        }
    }

    fn cannot(&self, action: &str, source: &tokenizers::Error) -> Error {
        Error::new(format!("{} cannot {action}: {source}", self.path.display()))
    }
}
