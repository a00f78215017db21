//! What benchmarks share.

pub mod flops;
pub mod gpu;
pub mod roof;

use clap::Parser;
use longseq::error::{Error, Result};

/// Runs a benchmark with what was typed; an error ends the program with exit code 2.
pub fn main<A: Parser>(run: impl FnOnce(&A) -> Result<()>) {
    if let Err(error) = run(&A::parse()) {
        fail(&error);
    }
}

/// Ends the program with exit code 2.
pub fn fail(error: &Error) -> ! {
    eprintln!("{error}");
    std::process::exit(2)
}

/// Median, least and most.
pub fn order(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [values[values.len() / 2], values[0], values[values.len() - 1]]
}
