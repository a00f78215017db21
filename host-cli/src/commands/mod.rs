//! The subcommands: each takes its `Args`, resolves them and does the work.

mod corpora;
mod generate;
mod report;
mod score;

use std::process::ExitCode;

use crate::{
    args::{Args, Command},
    error::Result,
};

/// How a command that could run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for is done (exit code 0).
    Done,
    /// Done, but some samples failed (exit code 1).
    DoneWithFailures,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::DoneWithFailures => Self::from(1),
        }
    }
}

/// Runs one command.
pub fn run(args: Args) -> Result<Outcome> {
    match args.command {
        Command::Corpora(args) => corpora::run(args),
        Command::Generate(args) => generate::run(*args),
        Command::Report(args) => report::run(&args),
        Command::Score(args) => score::run(&args),
    }
}
