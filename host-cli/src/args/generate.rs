//! `longseq generate`

use std::{num::ParseIntError, path::PathBuf};

use clap::{Args, ValueEnum};
use longseq_core::ruler::{budget::Fit, options::Seeding, profile::Profile};

use super::corpora::CorpusArgs;

/// Writes RULER's prompts.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct GenerateArgs {
    /// Whose prompts: NVIDIA/RULER's, those of the fork behind Huang (2025), or this project's small
    /// ones for 256 tokens and more
    #[arg(long, value_enum, default_value_t = ProfileArg::Ruler)]
    pub profile: ProfileArg,
    /// Tasks by name; `all` for the 13, `depth-ablation` for the 36 of profile huang2025
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    pub task: Vec<String>,
    /// Lengths in tokens: prompt, answer prefix and the tokens to generate together
    #[arg(long, value_name = "N", value_delimiter = ',', required = true)]
    pub max_seq_length: Vec<usize>,
    /// Samples of each task at each length
    #[arg(long, value_name = "K", default_value_t = 500)]
    pub num_samples: usize,
    /// Random seed
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u32,
    /// The model's tokenizer.json or rwkv_vocab_v20230424.txt, or a folder that holds one
    #[arg(long, value_name = "PATH")]
    pub tokenizer: PathBuf,
    /// Where to write: DIR/<length>/<task>/validation.jsonl
    #[arg(long, value_name = "DIR")]
    pub save_dir: PathBuf,
    /// Write DIR/<task>/validation.jsonl, as RULER does; for a single length
    #[arg(long)]
    pub flat: bool,
    /// Replace files that are there with other content
    #[arg(long)]
    pub overwrite: bool,
    /// Write part I of N only, from 0: seed S + I and the questions of that part, as RULER's
    /// chunks (with per-sample seeds: the same samples as without)
    #[arg(long, value_name = "I/N", conflicts_with = "pre_samples")]
    pub chunk: Option<Chunk>,
    /// Leave out so many samples at the start: questions, and with per-sample seeds all others
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub pre_samples: usize,
    /// Which text prompts are made of.
    #[command(flatten)]
    pub corpora: CorpusArgs,
    /// How the prompts are drawn.
    #[command(flatten)]
    pub options: PromptArgs,
}

/// Options that prompts depend on.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Prompts")]
pub struct PromptArgs {
    /// Prompt template: base, RWKV, sheared_llama-chat, meta-chat, meta-llama3, chat (that of the
    /// tokenizer's folder), or a file with {task_template} in it [default: base; with a model and
    /// profile huang2025 that of the paper for its family]
    #[arg(long, value_name = "NAME|FILE")]
    pub template: Option<String>,
    /// One seed for the whole run, as RULER; or one for each sample, so that a sample does not
    /// depend on those before it [default: run; per-sample with profile mini]
    #[arg(long, value_enum)]
    pub seeding: Option<SeedingArg>,
    /// Where RULER's smallest haystack is too long: fail, or use a smaller one
    #[arg(long, value_enum, default_value_t = FitArg::Exact)]
    pub fit: FitArg,
    /// Put all needles at these depths, in percent; tasks are saved as <task>_depth<PERCENT>
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(0..=100))]
    pub depth: Vec<u8>,
    /// Put UUIDs where the fork's niah_essay_uuids_<depth> has numbers
    #[arg(long)]
    pub corrected_uuids: bool,
    /// Replace line feeds and tabs by spaces, as RULER's flag of this name
    #[arg(long)]
    pub remove_newline_tab: bool,
}

/// `--profile`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileArg {
    /// NVIDIA/RULER
    Ruler,
    /// The fork behind Huang (2025)
    Huang2025,
    /// RULER's tasks scaled down; the scores are not RULER's
    Mini,
}

/// `--seeding`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SeedingArg {
    /// RULER's: one generator for all samples of a task
    Run,
    /// A seed for each sample
    PerSample,
}

/// `--fit`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FitArg {
    /// RULER's smallest haystack, or an error
    Exact,
    /// A smaller haystack where that does not fit
    Shrink,
}

impl From<ProfileArg> for Profile {
    fn from(profile: ProfileArg) -> Self {
        match profile {
            ProfileArg::Ruler => Self::Ruler,
            ProfileArg::Huang2025 => Self::Huang2025,
            ProfileArg::Mini => Self::Mini,
        }
    }
}

impl From<SeedingArg> for Seeding {
    fn from(seeding: SeedingArg) -> Self {
        match seeding {
            SeedingArg::Run => Self::Run,
            SeedingArg::PerSample => Self::PerSample,
        }
    }
}

impl From<FitArg> for Fit {
    fn from(fit: FitArg) -> Self {
        match fit {
            FitArg::Exact => Self::Exact,
            FitArg::Shrink => Self::Shrink,
        }
    }
}

/// `--chunk I/N`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The part, below `count`.
    pub index: usize,
    /// Number of parts.
    pub count: usize,
}

impl Chunk {
    /// How many of `samples` come before this part, and how many are in it: parts are equal but
    /// for one sample more in the first ones.
    pub fn of(self, samples: usize) -> (usize, usize) {
        let (each, more) = (samples / self.count, samples % self.count);
        (self.index * each + self.index.min(more), each + usize::from(self.index < more))
    }
}

impl std::str::FromStr for Chunk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (index, count) = text.split_once('/').ok_or("expected I/N, e.g. 0/4")?;
        let number = |text: &str| text.parse().map_err(|error: ParseIntError| error.to_string());
        let (index, count) = (number(index)?, number(count)?);
        if index < count {
            Ok(Self { index, count })
        } else {
            Err(format!("part {index} of {count} does not exist; parts count from 0"))
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  One task, nothing needed but a tokenizer:
    longseq generate --task niah_single_2 --max-seq-length 4096 --num-samples 10 \\
      --tokenizer model/ --save-dir data

  RULER's files, byte for byte (corpora from `longseq corpora fetch`):
    longseq generate --task all --max-seq-length 4096,8192 --tokenizer model/ --save-dir data \\
      --corpora corpora

  The paper's 1K column with any tokenizer:
    longseq generate --profile huang2025 --task all --max-seq-length 1024 --fit shrink …

  Prompts for small models, from 256 tokens:
    longseq generate --profile mini --task all --max-seq-length 256,512 …

  Needles at five depths:
    longseq generate --task niah_single_2 --depth 0,25,50,75,100 …

A file that is there with the same content is left alone; with other content it is an error
unless --overwrite is given. Beside each validation.jsonl, recipe.json says how it was made.
Exit code: 0 all written, 1 some tasks failed (listed at the end), 2 nothing written.";
