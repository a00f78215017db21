//! `longseq`: parse, run, exit code (0 done, 1 done with failed samples, 2 cannot run).

use std::process::ExitCode;

use clap::Parser;
use longseq::{args::Args, commands, progress::say};

fn main() -> ExitCode {
    match commands::run(Args::parse()) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            say(&format!("{error}\n"));
            ExitCode::from(2)
        }
    }
}
