//! Who puts the beginning-of-text token in front of a prompt.

use std::path::Path;

use serde_json::Value;

use super::{config, rwkv_world::END_OF_TEXT};
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

const CONFIGURED: &str = "tokenizer_config.json: add_bos_token";

/// `add_bos_token` of the `tokenizer_config.json` beside `tokenizer_json` decides; where it says
/// nothing, the token that the post-processor puts in front of a text.
pub fn find(tokenizer: &tokenizers::Tokenizer, tokenizer_json: &Path) -> Result<Option<Bos>> {
    let folder = tokenizer_json.with_file_name("");
    let config = config::read(&folder)?;
    match config["add_bos_token"].as_bool() {
        Some(false) => Ok(None),
        Some(true) => configured(tokenizer, &config, &folder).map(Some),
        None => post_processed(tokenizer, tokenizer_json),
    }
}

/// A World model expects none, unless `add_bos_token` of the `tokenizer_config.json` beside
/// `vocabulary` says so. It then is the end of the text before.
pub fn find_for_world(vocabulary: &Path) -> Result<Option<Bos>> {
    let config = config::read(&vocabulary.with_file_name(""))?;
    let token = config::token(&config, "bos_token").unwrap_or("<|endoftext|>").to_owned();
    let bos = Bos { id: END_OF_TEXT, token, source: CONFIGURED };
    Ok(Some(bos).filter(|_| config["add_bos_token"].as_bool() == Some(true)))
}

fn configured(tokenizer: &tokenizers::Tokenizer, config: &Value, folder: &Path) -> Result<Bos> {
    let token = config::token(config, "bos_token").unwrap_or_default();
    let id = tokenizer.token_to_id(token).ok_or_else(|| {
        let (path, entry) = (folder.join(config::FILE), &config["bos_token"]);
        let what = format!("{}: add_bos_token is true, but bos_token {entry}", path.display());
        Error::new(format!("{what} is no token of the tokenizer.json beside it"))
            .help("correct bos_token, or set add_bos_token to false")
    })?;
    Ok(Bos { id, token: token.to_owned(), source: CONFIGURED })
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
