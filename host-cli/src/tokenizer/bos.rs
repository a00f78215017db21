//! Who puts the beginning-of-text token in front of a prompt.

use std::{fs, path::Path};

use serde_json::Value;

use crate::error::{Error, Result};

/// The token that stands in front of every prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bos {
    /// Its id.
    pub id: u32,
    /// Its text.
    pub token: String,
    /// What asks for it: `"tokenizer_config.json: add_bos_token"` or
    /// `"tokenizer.json: post_processor"`.
    pub source: &'static str,
}

/// `add_bos_token` of the `tokenizer_config.json` beside `tokenizer_json` decides; where it says
/// nothing, the token that the post-processor puts in front of a text.
pub fn find(tokenizer: &tokenizers::Tokenizer, tokenizer_json: &Path) -> Result<Option<Bos>> {
    let path = tokenizer_json.with_file_name("tokenizer_config.json");
    let config: Value = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|source| Error::new(format!("{} is no JSON: {source}", path.display())))?,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Value::Null,
        Err(source) => return Err(Error::io("read", &path, &source)),
    };
    match config["add_bos_token"].as_bool() {
        Some(false) => Ok(None),
        Some(true) => configured(tokenizer, &config, &path).map(Some),
        None => post_processed(tokenizer, tokenizer_json),
    }
}

/// `bos_token` is a string, or an object whose `content` is one.
fn configured(tokenizer: &tokenizers::Tokenizer, config: &Value, path: &Path) -> Result<Bos> {
    let entry = &config["bos_token"];
    let token = entry.as_str().or(entry["content"].as_str()).unwrap_or_default();
    let id = tokenizer.token_to_id(token).ok_or_else(|| {
        let what = format!("{}: add_bos_token is true, but bos_token {entry}", path.display());
        Error::new(format!("{what} is no token of the tokenizer.json beside it"))
            .help("correct bos_token, or set add_bos_token to false")
    })?;
    let source = "tokenizer_config.json: add_bos_token";
    Ok(Bos { id, token: token.to_owned(), source })
}

fn post_processed(tokenizer: &tokenizers::Tokenizer, path: &Path) -> Result<Option<Bos>> {
    let first = |specials| {
        let encoding = tokenizer.encode_fast("a", specials).map_err(|source| {
            Error::new(format!("{} cannot encode a text: {source}", path.display()))
        })?;
        Ok(encoding.get_ids().first().copied())
    };
    let (with, without) = (first(true)?, first(false)?);
    Ok(with.filter(|_| with != without).and_then(|id| {
        let source = "tokenizer.json: post_processor";
        tokenizer.id_to_token(id).map(|token| Bos { id, token, source })
    }))
}
