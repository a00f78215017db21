//! `config.json`: which family a checkpoint is of, and every size of it.
//!
//! Published files leave out what equals the default of the class that reads them; the defaults
//! here are those of mamba_ssm's `MambaConfig`, `Mamba2` and `MHA` and of transformers'
//! `LlamaConfig`. A setting that would change the mathematics beyond what is computed here is
//! refused, never ignored.

mod fields;
mod llama;
mod mamba_ssm;

use std::path::Path;

use longseq_core::hybrid::config::ModelConfig;
use serde_json::Value;

use self::fields::Fields;
use super::mapped;
use crate::error::{Error, Result};

/// A longer `config.json` is none.
const LARGEST: u64 = 16 << 20;

/// What a `config.json` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Family and sizes.
    pub model: ModelConfig,
    /// Token ids that end a text; none in mamba_ssm's container, which has no such key.
    pub end_of_text: Vec<u32>,
}

/// Shape of a tensor of the checkpoint, by name.
pub type ShapeOf<'a> = dyn Fn(&str) -> Option<Vec<usize>> + 'a;

/// Families that are known but cannot be run: `model_type` and name.
const NOT_YET: [(&str, &str); 2] = [("rwkv6", "RWKV-6"), ("recurrent_gemma", "RecurrentGemma")];

impl Config {
    /// Reads `config.json` of `folder`. `shape_of` settles the one size that it leaves open: whether
    /// the hidden width of mamba_ssm's MLP is rounded.
    pub fn read(folder: &Path, shape_of: &ShapeOf<'_>) -> Result<Self> {
        let path = folder.join("config.json");
        let bytes = mapped::read_small(&path, LARGEST)?;
        Self::parse(&bytes, shape_of).map_err(|what| {
            Error::new(format!("{}: {what}", path.display())).help(
                "a checkpoint of Mamba2, Mamba2Attention or Transformer++ (mamba_ssm) or of LLaMA \
                 (transformers) with its own config.json is expected",
            )
        })
    }

    /// Parses the bytes of a `config.json`; the error says what is wrong.
    pub fn parse(bytes: &[u8], shape_of: &ShapeOf<'_>) -> std::result::Result<Self, String> {
        let json: Value =
            serde_json::from_slice(bytes).map_err(|source| format!("it is no JSON: {source}"))?;
        let fields = Fields::root(&json)?;
        let config = match fields.text("model_type")? {
            Some("llama") => llama::parse(&fields)?,
            Some(other) => return Err(unknown(other)),
            None if fields.has("d_model") || fields.has("ssm_cfg") => {
                mamba_ssm::parse(&fields, shape_of)?
            }
            None => return Err("it names no family: neither `model_type` nor `d_model`".to_owned()),
        };
        config.model.check().map_err(|source| source.to_string())?;
        Ok(config)
    }
}

fn unknown(model_type: &str) -> String {
    match NOT_YET.iter().find(|(name, _)| *name == model_type) {
        Some((_, family)) => format!("the family {family} is not yet supported"),
        None => format!("the family `{model_type}` (model_type) is unknown"),
    }
}
