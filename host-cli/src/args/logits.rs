//! `longseq logits`

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use super::run::{BackendArg, ComputeArg, PrecisionArg};
use crate::quirks::Quirk;

/// Which logits to write.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq logits --model mamba2-370m --input-ids 12092,13,1533 --output logits.safetensors
  longseq logits --model mamba2-370m --input-ids-file ids.json --precision f64 \\
    --output logits.safetensors
  longseq logits --model recurrentgemma-2b --input-ids-file ids.json \\
    --quirks hf4-recurrentgemma-prefill --prompt-tokens 4096 --output logits.safetensors")]
pub struct LogitsArgs {
    /// Folder of the checkpoint: config.json and weights
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Token ids, separated by commas
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        required_unless_present = "input_ids_file"
    )]
    pub input_ids: Vec<u32>,
    /// JSON array of token ids
    #[arg(long, value_name = "FILE", conflicts_with = "input_ids")]
    pub input_ids_file: Option<PathBuf>,
    /// So many ids are a prompt, read in one call; the others follow one by one, as in generation
    /// [default: all] (a difference only with --quirks)
    #[arg(long, value_name = "N")]
    pub prompt_tokens: Option<NonZeroUsize>,
    /// File to write: tensor `logits`, f32, [tokens, vocabulary]
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// What computes
    #[arg(long, value_enum, default_value_t = BackendArg::Reference)]
    pub backend: BackendArg,
    /// With --backend cpu or cuda: in what products with weights are computed [default: auto]
    #[arg(long, value_enum)]
    pub compute: Option<ComputeArg>,
    /// With --backend reference: floating-point numbers [default: f32]
    #[arg(long, value_enum)]
    pub precision: Option<PrecisionArg>,
    /// Faults of libraries to reproduce [default: none, the correct mathematics]
    #[arg(long, value_enum, value_name = "NAME", value_delimiter = ',')]
    pub quirks: Vec<Quirk>,
}
