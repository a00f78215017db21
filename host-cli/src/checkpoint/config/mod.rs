//! `config.json`: which family a checkpoint is of, and every size of it.
//!
//! Published files leave out what equals the default of the class that reads them; the defaults
//! here are those of mamba_ssm's `MambaConfig`, `Mamba2` and `MHA`, of transformers' `LlamaConfig` and
//! `RecurrentGemmaConfig`, and of RWKV's `Rwkv6Config`. A setting that would change the mathematics beyond what is computed here is
//! refused, never ignored.

mod fields;
mod llama;
mod mamba_ssm;
mod recurrent_gemma;
mod rwkv6;

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
    /// Token ids that end a text; none in mamba_ssm's container, which has no such key. A
    /// `generation_config.json` beside it, which transformers' `generate` goes by, is asked first.
    pub end_of_text: Vec<u32>,
}

/// Shape of a tensor of the checkpoint, by name.
pub type ShapeOf<'a> = dyn Fn(&str) -> Option<Vec<usize>> + 'a;

impl Config {
    /// Reads `config.json` of `folder`. `shape_of` settles the sizes that it leaves open: whether the
    /// hidden width of mamba_ssm's MLP is rounded, and the low ranks of RWKV-6.
    pub fn read(folder: &Path, shape_of: &ShapeOf<'_>) -> Result<Self> {
        let path = folder.join("config.json");
        let bytes = mapped::read_small(&path, LARGEST)?;
        let mut config = Self::parse(&bytes, shape_of).map_err(|what| {
            Error::new(format!("{}: {what}", path.display())).help(
                "a checkpoint of Mamba2, Mamba2Attention or Transformer++ (mamba_ssm), of LLaMA or \
                 RecurrentGemma (transformers) or of RWKV-6 with its own config.json is expected",
            )
        })?;
        if !config.end_of_text.is_empty()
            && let Some(ids) = generation_end(folder)?
        {
            config.end_of_text = ids;
        }
        Ok(config)
    }

    /// Parses the bytes of a `config.json`; the error says what is wrong.
    pub fn parse(bytes: &[u8], shape_of: &ShapeOf<'_>) -> std::result::Result<Self, String> {
        let json = json(bytes)?;
        let fields = Fields::root(&json)?;
        let config = match fields.text("model_type")? {
            Some("llama") => llama::parse(&fields)?,
            Some("recurrent_gemma") => recurrent_gemma::parse(&fields)?,
            Some("rwkv6") => rwkv6::parse(&fields, shape_of)?,
            Some(other) => return Err(format!("the family `{other}` (model_type) is unknown")),
            None if fields.has("d_model") || fields.has("ssm_cfg") => {
                mamba_ssm::parse(&fields, shape_of)?
            }
            None => return Err("it names no family: neither `model_type` nor `d_model`".to_owned()),
        };
        config.model.check().map_err(|source| source.to_string())?;
        Ok(config)
    }
}

fn json(bytes: &[u8]) -> std::result::Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|source| format!("it is no JSON: {source}"))
}

/// `eos_token_id` of `generation_config.json`, if there is such a file: transformers' `generate` ends a text by it.
fn generation_end(folder: &Path) -> Result<Option<Vec<u32>>> {
    let path = folder.join("generation_config.json");
    if !path.exists() {
        return Ok(None);
    }
    let bytes = mapped::read_small(&path, LARGEST)?;
    let ids = json(&bytes).and_then(|json| Fields::root(&json)?.token_ids("eos_token_id"));
    ids.map_err(|what| {
        Error::new(format!("{}: {what}", path.display()))
            .help("download the file again, or take it away: config.json is asked then")
    })
}
