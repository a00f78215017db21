//! What was typed, and nothing resolved: one file a subcommand.

pub mod corpora;
pub mod generate;
pub mod score;

use clap::{Parser, Subcommand};

/// How well does a long-sequence model use a long sequence?
#[derive(Debug, Parser)]
#[command(name = "longseq", version, about, propagate_version = true)]
pub struct Args {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Gets the corpora that RULER uses
    Corpora(corpora::CorporaArgs),
    /// Writes RULER's prompts, byte for byte as its scripts do
    Generate(Box<generate::GenerateArgs>),
    /// Score prediction files as RULER's evaluate.py does
    ///
    /// Writes summary.csv (summary-<task>.csv for a single task) and submission.csv into the
    /// folder, byte for byte as RULER's evaluate.py, and prints the summary. Predictions are never
    /// changed: chunk files <task>-<k>.jsonl are read together, not merged and deleted.
    Score(score::ScoreArgs),
}
