//! `longseq report`.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, ValueEnum};

/// What to report, and how.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  longseq report runs/mamba2
  longseq report runs/mamba2 runs/llama --format markdown > table.md
  longseq report runs/mamba2 --out reports/mamba2
  longseq report runs/* --format html --out report.html
  longseq report runs/mamba2 --against paper
  longseq report runs/gemma --against paper --system RG-IT --format json")]
pub struct ReportArgs {
    /// Folders that `longseq run --out` wrote; several stand side by side
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// What to print
    #[arg(long, value_enum, default_value = "terminal")]
    pub format: Format,

    /// Also write report.md, report.html, results.csv and results.json into this folder; with
    /// --format html the file to write
    #[arg(long, value_name = "DIR|FILE", required_if_eq("format", "html"))]
    pub out: Option<PathBuf>,

    /// Put published figures beside ours; with --format csv one row a published figure, and --out
    /// writes them as against.csv
    #[arg(long, value_enum, value_name = "WHAT")]
    pub against: Option<PublishedArg>,

    /// Whose published figures: Mamba2, M2A, TPP, RWKV, SL, SL-IT, RG or RG-IT [default: by the
    /// checkpoint's family and the name of its folder]
    #[arg(long, value_name = "NAME", requires = "against")]
    pub system: Option<String>,

    /// Tokens of the sequences that the models were trained on, where neither a model's longseq.json
    /// nor the paper says it: findings are about what happens beyond
    #[arg(long, value_name = "N")]
    pub training_length: Option<NonZeroUsize>,
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
    /// One page with figures, findings and lost samples, for a browser; needs --out FILE
    Html,
}
