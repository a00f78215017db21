//! `longseq corpora fetch`

use std::{fs, path::Path};

use indicatif::{ProgressBar, ProgressStyle};

use super::{Outcome, print};
use crate::{
    args::corpora::{CorporaArgs, CorporaCommand},
    corpora::{
        fetch::{self, Fetched},
        pinned,
    },
    error::{Error, Result},
    progress::say,
};

/// Runs the subcommand.
pub fn run(args: CorporaArgs) -> Result<Outcome> {
    match args.command {
        CorporaCommand::Fetch { dir } => fetch_all(&dir, &pinned::all()),
    }
}

/// Downloads what it can; what it cannot is said at the end.
fn fetch_all(folder: &Path, downloads: &[pinned::Download]) -> Result<Outcome> {
    fs::create_dir_all(folder).map_err(|source| Error::io("make the folder", folder, &source))?;
    let agent = fetch::agent();
    let mut failures = Vec::new();
    for download in downloads {
        let bar = ProgressBar::no_length().with_style(style()).with_message(download.file.clone());
        let outcome = fetch::fetch(&agent, download, folder, &bar);
        bar.finish_and_clear();
        match outcome {
            Ok(Fetched::New) => {
                print(&format!("{}: downloaded, SHA-256 is right\n", download.file))?
            }
            Ok(Fetched::Kept) => {
                print(&format!("{}: already there, SHA-256 is right\n", download.file))?;
            }
            Err(error) => failures.push(error),
        }
    }
    for failure in &failures {
        say(&format!("{failure}\n"));
    }
    if failures.len() == downloads.len() {
        let what = format!("none of the corpora could be brought to {}", folder.display());
        return Err(Error::new(what).help("each reason is above"));
    }
    Ok(if failures.is_empty() { Outcome::Done } else { Outcome::DoneWithFailures })
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(
        "{msg}: {bytes} of {total_bytes} {wide_bar} {bytes_per_sec}, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
}
