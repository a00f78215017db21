//! `longseq run`

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{
    corpora::CorpusArgs,
    generate::{ProfileArg, PromptArgs},
};
use crate::{paper::preset::Preset, quirks::Quirk};

/// Runs a model on RULER's prompts.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct RunArgs {
    /// Folder of the checkpoint: config.json and weights
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The model's tokenizer.json or rwkv_vocab_v20230424.txt, or a folder that holds one [default: the checkpoint's folder]
    #[arg(long, value_name = "PATH")]
    pub tokenizer: Option<PathBuf>,
    /// A protocol: tasks, lengths, samples and profile; what is given beside it goes before it
    #[arg(long, value_enum)]
    pub preset: Option<PresetArg>,
    /// Tasks by name; `all` for the 13, `depth-ablation` for the 36 of profile huang2025
    #[arg(long, value_name = "NAME", value_delimiter = ',', required_unless_present = "preset")]
    pub tasks: Vec<String>,
    /// Lengths in tokens: prompt, answer prefix and the tokens to generate together
    #[arg(long, value_name = "N", value_delimiter = ',', required_unless_present = "preset")]
    pub lengths: Vec<usize>,
    /// Samples of each task at each length [default: 500; 250 with a preset]
    #[arg(long, value_name = "K")]
    pub samples: Option<usize>,
    /// Folder of the run: new, empty, or that of the same run, which then goes on
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// Whose prompts: NVIDIA/RULER's, those of the fork behind Huang (2025), or this project's small
    /// ones for 256 tokens and more [default: ruler; huang2025 with a preset]
    #[arg(long, value_enum)]
    pub profile: Option<ProfileArg>,
    /// Random seed of the prompts
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u32,
    /// How the prompts are drawn.
    #[command(flatten)]
    pub prompts: PromptArgs,
    /// Which text prompts are made of.
    #[command(flatten)]
    pub corpora: CorpusArgs,
    /// How the model is run.
    #[command(flatten)]
    pub running: RunningArgs,
    /// Check and estimate, run and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the outcome (with --dry-run the plan) as JSON
    #[arg(long)]
    pub json: bool,
}

/// `--preset`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// Tables 1 and 7 to 19 of Huang (2025): 13 tasks at 1K to 16K, 250 samples each
    Huang2025,
    /// Tables 2 to 4: needles at 7 depths in 3 formats, at the lengths of the checkpoint's family
    Huang2025Depths,
}

impl From<PresetArg> for Preset {
    fn from(preset: PresetArg) -> Self {
        match preset {
            PresetArg::Huang2025 => Self::Tasks,
            PresetArg::Huang2025Depths => Self::Depths,
        }
    }
}

/// How the model is run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Running the model")]
pub struct RunningArgs {
    /// What computes
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub backend: BackendArg,
    /// With --backend cpu or cuda: in what products with weights are computed [default: auto]
    #[arg(long, value_enum)]
    pub compute: Option<ComputeArg>,
    /// With --backend reference: floating-point numbers [default: f32]
    #[arg(long, value_enum)]
    pub precision: Option<PrecisionArg>,
    /// Samples answered together; on a CPU the answers do not depend on it [default: as many as pay, up to
    /// 8, and fit into half of the free memory; on a GPU up to 64, and most of its memory; with --backend
    /// reference one a thread]
    #[arg(long, value_name = "N")]
    pub batch: Option<NonZeroUsize>,
    /// Threads; the answers do not depend on it [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Write every answer to its last token, even when its score can no longer change
    #[arg(long)]
    pub no_decided_stop: bool,
    /// Read every prompt from its start, also where samples share a prefix
    #[arg(long)]
    pub no_shared_prefix: bool,
    /// Faults of libraries to reproduce [default: none, the correct mathematics]
    #[arg(long, value_enum, value_name = "NAME", value_delimiter = ',')]
    pub quirks: Vec<Quirk>,
}

/// `--backend`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// cuda where a GPU and all that it needs are there (see `longseq devices`), else cpu; says which, and why
    Auto,
    /// Kernels on an NVIDIA GPU of compute capability 8.0 or newer
    Cuda,
    /// Vector instructions and threads
    Cpu,
    /// The plain functions of longseq-core
    Reference,
}

/// `--compute`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ComputeArg {
    /// bf16 where the checkpoint's weights are exact in it, else f32
    Auto,
    /// bf16, rounding weights where they are not exact; sums and states in f32
    Bf16,
    /// f32
    F32,
}

/// `--precision`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// 32 bits
    F32,
    /// 64 bits
    F64,
}

impl PrecisionArg {
    /// The name in plans and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  What would be done, and how much of it:
    longseq run --model mamba2-370m --tokenizer gpt-neox-20b --tasks all \\
      --lengths 1024,2048,4096 --samples 50 --out runs/mamba2 --dry-run

  RULER's 13 tasks on its own corpora (from `longseq corpora fetch`):
    longseq run --model mamba2-370m --tokenizer gpt-neox-20b --tasks all \\
      --lengths 4096,8192 --out runs/mamba2 --essays corpora/PaulGrahamEssays.json \\
      --words corpora --english-words corpora/english_words.json \\
      --squad corpora/squad.json --hotpotqa corpora/hotpotqa.json

  Then its tables:
    longseq report runs/mamba2

  The study of Huang (2025), each table's cells with the template of the checkpoint's family:
    longseq run --preset huang2025 --model mamba2-2.7b --tokenizer gpt-neox-20b \
      --corpora corpora --out runs/mamba2
    longseq run --preset huang2025-depths --model mamba2-2.7b --tokenizer gpt-neox-20b \
      --corpora corpora --out runs/mamba2-depths
    longseq report runs/mamba2 --against paper

  A part of it: options given beside --preset go before it, and the plan holds what was run:
    longseq run --preset huang2025 --lengths 1024,2048 --samples 50 …

A run that was interrupted or killed goes on where it stopped when the same command is given
again; samples that failed are tried again. RULER's length does not count BOS: a model that wants
one reads one token more.

RUN holds plan.json (what was run, with all hashes), predictions/<length>/<task>.jsonl (RULER's
prediction files) and failures.jsonl.

Exit code: 0 all done, 1 done but some samples failed, 2 cannot run, 130 interrupted.";
