//! `longseq study`

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

/// What is studied, and how much of it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct StudyArgs {
    /// Folder of the study: new, empty, or that of the same study, which then goes on
    #[arg(long, value_name = "DIR", default_value = "study")]
    pub out: PathBuf,
    /// Less of everything: some minutes on two cores, and wide intervals
    #[arg(long)]
    pub quick: bool,
    /// Folders of further checkpoints, each with its tokenizer.json, for the same tables
    #[arg(long, value_name = "DIR", value_delimiter = ',')]
    pub models: Vec<PathBuf>,
    /// Leave out the five small models that are built in
    #[arg(long, requires = "models")]
    pub without_own: bool,
    /// Samples of each task at each length [default: 50; with --quick 8]
    #[arg(long, value_name = "K")]
    pub samples: Option<NonZeroUsize>,
    /// Random seed of the prompts; the built-in models were trained on seeds from 3,000,000,000 on, which are refused
    #[arg(long, value_name = "S", default_value_t = 42, value_parser = clap::value_parser!(u32).range(..TRAINING_SEEDS))]
    pub seed: u32,
    /// Threads; the answers do not depend on it [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Say how long it would take and which commands it stands for, and run nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Seeds from here on made the prompts that the built-in models were trained on.
pub const TRAINING_SEEDS: i64 = 3_000_000_000;

const EXAMPLES: &str = "\
Examples:
  Five small models of five families, in some minutes; then open study/report.html:
    longseq study --quick

  All of it: 13 tasks at half to eight times the training length, needles at seven depths:
    longseq study

  A checkpoint of your own beside them:
    longseq study --models ~/models/mamba2-370m

A study that was interrupted goes on where it stopped when the same command is given again.

DIR holds runs/<model>-tasks and runs/<model>-depths, as `longseq run` writes them: `longseq report` and
`longseq show` read them, too. The report: report.html, report.md, results.json, results.csv.

Exit code: 0 all done, 1 done but some samples failed, 2 cannot run, 130 interrupted.";
