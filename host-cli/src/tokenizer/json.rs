//! A `tokenizer.json`, as the tokenizers library reads it.

use serde_json::Value;
use tokenizers::{Encoding, Result};

use super::settled;

/// A loaded `tokenizer.json`.
#[derive(Debug)]
pub struct Json {
    /// The library's tokenizer.
    pub inner: tokenizers::Tokenizer,
    /// Text that was decoded stays as it is when more ids follow.
    pub keeps_text: bool,
}

impl Json {
    /// The file's content, as bytes and as JSON.
    pub fn new(bytes: &[u8], json: &Value) -> Result<Self> {
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes)?;
        // Prompts are never cut or padded.
        inner.with_truncation(None)?;
        inner.with_padding(None);
        Ok(Self { inner, keeps_text: settled::keeps_text(&json["decoder"]) })
    }

    /// One more than the highest id.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1)
    }

    /// Tokens of a text, without those of the post-processor.
    pub fn encode(&self, text: &str) -> Result<Encoding> {
        self.inner.encode_fast(text, false)
    }
}
