//! `longseq probe`

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use super::{
    corpora::CorpusArgs,
    generate::{ProfileArg, PromptArgs},
};

/// Whose needles to look for.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ProbeArgs {
    /// Folder of the checkpoint: config.json and weights
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The model's tokenizer.json or rwkv_vocab_v20230424.txt, or a folder that holds one [default: the checkpoint's folder]
    #[arg(long, value_name = "PATH")]
    pub tokenizer: Option<PathBuf>,
    /// A task with needles
    #[arg(long, value_name = "NAME", default_value = "niah_single_2")]
    pub task: String,
    /// Length in tokens: prompt, answer prefix and the tokens to generate together
    #[arg(long, value_name = "N", default_value_t = 2048)]
    pub length: usize,
    /// How many samples, from the first
    #[arg(long, value_name = "K", default_value = "1")]
    pub samples: NonZeroUsize,
    /// One sample by its number, from 0, instead of the first ones
    #[arg(long, value_name = "I", conflicts_with = "samples")]
    pub index: Option<usize>,
    /// Whose prompts
    #[arg(long, value_enum, default_value_t = ProfileArg::Ruler)]
    pub profile: ProfileArg,
    /// Random seed of the prompts
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u32,
    /// Print everything as JSON: each needle's reach of each head or channel of each layer
    #[arg(long)]
    pub json: bool,
    /// How the prompts are drawn.
    #[command(flatten)]
    pub prompts: PromptArgs,
    /// Which text prompts are made of.
    #[command(flatten)]
    pub corpora: CorpusArgs,
}

const EXAMPLES: &str = "\
Examples:
  Where one needle is lost, layer by layer:
    longseq probe --model mamba2-370m --tokenizer gpt-neox-20b --length 2048

  Layers by depths, means over four samples:
    longseq probe --model mamba2-370m --tokenizer gpt-neox-20b --length 2048 \\
      --samples 4 --depth 0,20,40,50,60,80,100

  One sample of a run, with every head and channel:
    longseq probe --model mamba2-370m --tokenizer gpt-neox-20b --length 2048 \\
      --task niah_single_1 --index 17 --json

Computes with the reference backend in f32, which is exact and slow: small models, or short prompts.";
