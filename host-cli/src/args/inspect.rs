//! `longseq inspect`

use std::path::PathBuf;

use clap::Args;

/// What to look at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq inspect --model mamba2-370m --tokenizer gpt-neox-20b
  longseq inspect --model sheared-llama --json")]
pub struct InspectArgs {
    /// Folder of the checkpoint: config.json and weights
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The model's tokenizer.json, or a folder that holds one [default: the checkpoint's folder]
    #[arg(long, value_name = "PATH")]
    pub tokenizer: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
