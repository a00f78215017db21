//! `longseq report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What to report, and how.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq report runs/mamba2
  longseq report runs/mamba2 runs/llama --format markdown > table.md
  longseq report runs/mamba2 --out reports/mamba2
  longseq report runs/mamba2 --against paper
  longseq report runs/gemma --against paper --system RG-IT --format json")]
pub struct ReportArgs {
    /// Folders that `longseq run --out` wrote; several stand side by side
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// What to print
    #[arg(long, value_enum, default_value = "terminal")]
    pub format: Format,

    /// Also write report.md, results.csv and results.json into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Put published figures beside ours; with --format csv one row a published figure, and --out
    /// writes them as against.csv
    #[arg(long, value_enum, value_name = "WHAT")]
    pub against: Option<PublishedArg>,

    /// Whose published figures: Mamba2, M2A, TPP, RWKV, SL, SL-IT, RG or RG-IT [default: by the
    /// checkpoint's family and the name of its folder]
    #[arg(long, value_name = "NAME", requires = "against")]
    pub system: Option<String>,
}

/// `--against`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PublishedArg {
    /// Tables 1 to 4 and 7 to 19 of Huang (2025)
    Paper,
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned tables
    Terminal,
    /// Markdown tables, notes and provenance
    Markdown,
    /// One row a cell
    Csv,
    /// Everything, provenance included
    Json,
}
