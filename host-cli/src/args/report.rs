//! `longseq report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What to report, and how.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq report runs/mamba2
  longseq report runs/mamba2 runs/llama --format markdown > table.md
  longseq report runs/mamba2 --out reports/mamba2")]
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
