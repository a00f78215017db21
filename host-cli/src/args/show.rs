//! `longseq show`.

use std::path::PathBuf;

use clap::Args;

/// Which sample to show.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq show runs/mamba2 --task niah_single_2 --index 7
  longseq show runs/mamba2 --task vt --length 4096 --index 0 --whole | less
  longseq show runs/mamba2 --task vt --length 4096 --index 0 --json

Exit code: 0 shown, 1 the sample failed and has no answer, 2 there is no such sample.")]
pub struct ShowArgs {
    /// Folder that `longseq run --out` wrote
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Name of the task, as in the report: `niah_single_2`, `niah_single_2_depth50`
    #[arg(long, value_name = "NAME")]
    pub task: String,

    /// Number of the sample in its cell, from 0
    #[arg(long, value_name = "I")]
    pub index: usize,

    /// Length in tokens, where the task was run at several
    #[arg(long, value_name = "N")]
    pub length: Option<usize>,

    /// Show the whole prompt and answer, not their ends
    #[arg(long)]
    pub whole: bool,

    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}
