//! `longseq inspect`

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use super::{
    corpora::CorpusArgs,
    generate::{ProfileArg, PromptArgs},
    run::ComputeArg,
};

/// What to look at.
#[derive(Debug, Args)]
#[command(
    mut_group("PromptOfArgs", |group| group.requires("prompt")),
    mut_group("PromptArgs", |group| group.requires("prompt")),
    mut_group("CorpusArgs", |group| group.requires("prompt")),
    after_help = EXAMPLES
)]
pub struct InspectArgs {
    /// Folder of the checkpoint: config.json and weights
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The model's tokenizer.json or rwkv_vocab_v20230424.txt, or a folder that holds one [default: the checkpoint's folder]
    #[arg(long, value_name = "PATH")]
    pub tokenizer: Option<PathBuf>,
    /// Show the first prompt of a task as the model would read it, instead of the checkpoint
    #[arg(long)]
    pub prompt: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Sequences in memory at once, for which memory is shown: the batch of a run, and one more
    /// for the prefix that samples share
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "prompt")]
    pub sequences: NonZeroUsize,
    /// In what the run would compute products with weights [default: auto]
    #[arg(long, value_enum, conflicts_with = "prompt")]
    pub compute: Option<ComputeArg>,
    /// Which prompt.
    #[command(flatten)]
    pub of: PromptOfArgs,
    /// How it is drawn.
    #[command(flatten)]
    pub options: PromptArgs,
    /// Which text it is made of.
    #[command(flatten)]
    pub corpora: CorpusArgs,
}

/// Which prompt `--prompt` shows.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The prompt (with --prompt)")]
pub struct PromptOfArgs {
    /// Its task
    #[arg(long, value_name = "NAME", default_value = "niah_single_1")]
    pub task: String,
    /// Its length in tokens: prompt, answer prefix and the tokens to generate together
    #[arg(long, value_name = "N", default_value_t = 2048)]
    pub length: usize,
    /// Whose prompts: NVIDIA/RULER's, those of the fork behind Huang (2025), or this project's small
    /// ones
    #[arg(long, value_enum, default_value_t = ProfileArg::Ruler)]
    pub profile: ProfileArg,
    /// Random seed
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u32,
}

const EXAMPLES: &str = "\
Examples:
  longseq inspect --model mamba2-370m --tokenizer gpt-neox-20b
  longseq inspect --model sheared-llama --json

  Memory of a run of batch 4 with a shared prefix:
    longseq inspect --model sheared-llama --sequences 5

  Template, BOS and both ends of the first prompt, as the paper's protocol makes it:
    longseq inspect --model sheared-llama --prompt --profile huang2025";
