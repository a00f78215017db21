//! What is recorded beside a plan when its run begins: predictions do not depend on it.

use std::{fs, io::ErrorKind, path::Path};

use serde::{Deserialize, Serialize};

use super::FirstPrompt;
use crate::error::{Error, Result};

/// The file of a [`ModelCard`], beside `config.json`.
const CARD: &str = "longseq.json";

/// What is recorded when a run begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// The first prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_prompt: Option<FirstPrompt>,
    /// What the checkpoint says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<ModelCard>,
    /// What the model takes in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Footprint>,
}

/// `longseq.json` in a checkpoint's folder: what its `config.json` has no field for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCard {
    /// What reports call the model; else the name of its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tokens of the sequences that it was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_length: Option<usize>,
}

/// Bytes that a model takes, as it is computed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Of the weights.
    pub weights: u64,
    /// Of one sequence: recurrent state, keys and values.
    pub sequence: Vec<SequenceBytes>,
}

/// Bytes that a sequence takes at its full length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceBytes {
    /// The length in tokens.
    pub length: usize,
    /// The bytes.
    pub bytes: u64,
}

impl ModelCard {
    /// Reads that of the checkpoint in `folder`; `None` where there is none.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(CARD);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(source)
                if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(source) => return Err(Error::io("read", &path, &source)),
        };
        let card: Self = serde_json::from_slice(&text).map_err(|source| {
            Error::new(format!("{}: {source}", path.display())).help(
                "it holds what reports should know, such as \
                 {\"name\": \"mamba2-mini\", \"training_length\": 512}; or take it away",
            )
        })?;
        if card.training_length == Some(0) {
            return Err(Error::new(format!("{}: a training length of 0 tokens", path.display()))
                .help("name the tokens of the sequences it was trained on, or leave it out"));
        }
        Ok(Some(card))
    }
}
