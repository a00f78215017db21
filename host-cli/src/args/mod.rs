//! What was typed, and nothing resolved: one file a subcommand.

pub mod corpora;

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
}
