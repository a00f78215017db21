//! `longseq report`: run folders in, tables out.

use std::{
    collections::HashSet,
    fs,
    io::{IsTerminal, stdout},
    path::Path,
};

use super::{Outcome, print};
use crate::{
    args::report::{Format, ReportArgs},
    error::{Error, Result},
    progress::say,
    report::{data, run::Run, tables::Style, text},
};

/// Prints the report, and writes it where `--out` says.
pub fn run(args: &ReportArgs) -> Result<Outcome> {
    let mut runs = args.runs.iter().map(|path| Run::read(path)).collect::<Result<Vec<_>>>()?;
    // Two folders of the same name need their paths to be told apart.
    let names: HashSet<_> = runs.iter().map(|run| run.name.clone()).collect();
    if names.len() < runs.len() {
        for (run, path) in runs.iter_mut().zip(&args.runs) {
            run.name = path.display().to_string();
        }
    }
    if let Some(folder) = &args.out {
        write(folder, &runs)?;
    }
    let report = match args.format {
        Format::Terminal => text::terminal(&runs, Style { bars: stdout().is_terminal() }),
        Format::Markdown => text::markdown(&runs),
        Format::Csv => data::csv(&runs)?,
        Format::Json => format!("{:#}\n", data::json(&runs)),
    };
    print(&report)?;
    let failed = runs.iter().flat_map(|run| &run.cells).any(|cell| cell.failed > 0);
    Ok(if failed { Outcome::DoneWithFailures } else { Outcome::Done })
}

fn write(folder: &Path, runs: &[Run]) -> Result<()> {
    fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
    for (name, content) in [
        ("report.md", text::markdown(runs)),
        ("results.csv", data::csv(runs)?),
        ("results.json", format!("{:#}\n", data::json(runs))),
    ] {
        let path = folder.join(name);
        fs::write(&path, content).map_err(|e| Error::io("write", &path, &e))?;
        say(&format!("written: {}\n", path.display()));
    }
    Ok(())
}
