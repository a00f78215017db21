//! The subcommands: each takes its `Args`, resolves them and does the work.

mod corpora;
mod devices;
mod generate;
mod inspect;
mod logits;
mod probe;
mod prompts;
mod report;
mod run;
mod score;
mod show;
mod study;

use std::{
    io::{ErrorKind, Write, stdout},
    process::ExitCode,
};

use crate::{
    args::{Args, Command},
    error::{Error, Result},
    run::interrupt,
};

/// How a command that could run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for is done (exit code 0).
    Done,
    /// Done, but some samples failed (exit code 1).
    DoneWithFailures,
    /// Ended by Ctrl-C before all was done (exit code 130).
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::DoneWithFailures => Self::from(1),
            Outcome::Interrupted => Self::from(interrupt::EXIT_CODE),
        }
    }
}

/// Runs one command.
pub fn run(args: Args) -> Result<Outcome> {
    match args.command {
        Command::Corpora(args) => corpora::run(args),
        Command::Devices(args) => devices::run(&args),
        Command::Generate(args) => generate::run(*args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Logits(args) => logits::run(&args),
        Command::Probe(args) => probe::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Study(args) => study::run(&args),
    }
}

/// Prints `text`. A reader that has seen enough (`| head`) is no error; a full disk is.
fn print(text: &str) -> Result<()> {
    let mut stdout = stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io("write to", "standard output".as_ref(), &source))
        }
        _ => Ok(()),
    }
}
