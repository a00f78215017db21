//! Reports of a study: the page in a browser, findings, single samples.

mod browser;
mod findings;
mod made_up;
mod page;
#[path = "../common/runs.rs"]
mod runs;
mod show;

use std::process::Command;

fn longseq(command: &str) -> Command {
    let mut longseq = Command::new(env!("CARGO_BIN_EXE_longseq"));
    longseq.arg(command);
    longseq
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
