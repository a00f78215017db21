//! A `tokenizer.json`: token ids, token counts and who puts BOS in front.

mod additive;
mod bos;
mod counter;
mod settled;

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::Value;

use crate::{
    digest::sha256_hex,
    error::{Error, Result},
    files,
};

use additive::Counting;
pub use bos::Bos;
pub use counter::Counter;

/// A loaded tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    path: PathBuf,
    sha256: String,
    vocabulary: usize,
    bos: Option<Bos>,
    /// Text that was decoded stays as it is when more ids follow.
    keeps_text: bool,
    counting: Counting,
    /// A check said that counts do not add up.
    refuted: AtomicBool,
    /// Texts whose count is still to be checked against encoding them whole.
    unchecked: AtomicUsize,
    /// Memories of idle counters.
    memories: Mutex<Vec<counter::Memory>>,
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
    /// Loads a `tokenizer.json`, or the one in a folder. A `tokenizer_config.json` beside it is
    /// asked about BOS.
    pub fn load(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join("tokenizer.json") } else { path.to_path_buf() };
        let bytes = files::read(&path).map_err(|source| {
            Error::io("read the tokenizer", &path, &source)
                .help("name a tokenizer.json, or a folder that holds one, with --tokenizer")
        })?;
        let corrupt = |source: &dyn std::fmt::Display| {
            Error::new(format!("{} is no tokenizer.json: {source}", path.display()))
                .help("save the model's tokenizer again in the format of the tokenizers library")
        };
        let json: Value = serde_json::from_slice(&bytes).map_err(|source| corrupt(&source))?;
        let mut inner =
            tokenizers::Tokenizer::from_bytes(&bytes).map_err(|source| corrupt(&source))?;
        // Prompts are never cut or padded.
        inner.with_truncation(None).map_err(|source| corrupt(&source))?;
        inner.with_padding(None);
        let bos = bos::find(&inner, &path)?;
        let vocabulary = inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1);
        Ok(Self {
            keeps_text: settled::keeps_text(&json["decoder"]),
            counting: Counting::of(&json),
            refuted: AtomicBool::new(false),
            unchecked: AtomicUsize::new(counter::CHECKED_TEXTS),
            memories: Mutex::default(),
            sha256: sha256_hex(&bytes),
            inner,
            path,
            vocabulary,
            bos,
        })
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
        self.encoding(text).map(|encoding| encoding.get_ids().to_vec())
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
        self.inner.decode(ids, skip_specials).map_err(|source| {
            Error::new(format!("{} cannot decode {ids:?}: {source}", self.path.display()))
        })
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

    fn encoding(&self, text: &str) -> Result<tokenizers::Encoding> {
        self.inner.encode_fast(text, false).map_err(|source| {
            Error::new(format!("{} cannot encode a text: {source}", self.path.display()))
        })
    }
}
