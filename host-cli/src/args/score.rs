//! `longseq score`.

use std::path::PathBuf;

use clap::Args;

/// What to score.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq score --pred-dir predictions          a folder of <task>.jsonl files
  longseq score --pred-dir runs/mamba2          every length of a run
  longseq score --pred-dir predictions --task qa_1,qa_2 --json")]
pub struct ScoreArgs {
    /// Folder of <task>.jsonl files, or the folder of a run
    #[arg(long, value_name = "DIR")]
    pub pred_dir: PathBuf,

    /// Only these tasks, separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub task: Vec<String>,

    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}
