//! `longseq`: parse, run, exit code (0 done, 1 done with failed samples, 2 cannot run).

use std::process::ExitCode;

use clap::Parser;
use longseq::{args::Args, commands};

fn main() -> ExitCode {
    match commands::run(Args::parse()) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
