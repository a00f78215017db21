//! `longseq report`: run folders in, tables out.

use std::{
    collections::HashSet,
    fs,
    io::{IsTerminal, stdout},
    path::Path,
};

use super::{Outcome, print};
use crate::{
    args::report::{Format, PublishedArg, ReportArgs},
    error::{Error, Result},
    progress::say,
    report::{
        against::{self, Against},
        data,
        run::Run,
        tables::Style,
        text,
    },
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
    let report = Report { runs: &runs, against: &published(args, &runs)? };
    if let Some(folder) = &args.out {
        report.write(folder)?;
    }
    print(&report.print(args.format)?)?;
    let failed = runs.iter().flat_map(|run| &run.cells).any(|cell| cell.failed > 0);
    Ok(if failed { Outcome::DoneWithFailures } else { Outcome::Done })
}

/// With `--against` the published figures of each run, else none.
fn published<'r>(args: &ReportArgs, runs: &'r [Run]) -> Result<Vec<Against<'r>>> {
    match args.against {
        None => Ok(Vec::new()),
        Some(PublishedArg::Paper) => {
            runs.iter().map(|run| Against::new(run, args.system.as_deref())).collect()
        }
    }
}

/// Runs, and the published figures of each if they were asked for.
struct Report<'r> {
    runs: &'r [Run],
    against: &'r [Against<'r>],
}

impl Report<'_> {
    fn print(&self, format: Format) -> Result<String> {
        let Self { runs, against } = self;
        Ok(match format {
            Format::Terminal => {
                text::terminal(runs, against, Style { bars: stdout().is_terminal() })
            }
            Format::Markdown => text::markdown(runs, against),
            Format::Csv if against.is_empty() => data::csv(runs)?,
            Format::Csv => against::csv(against)?,
            Format::Json => format!("{:#}\n", data::json(runs, against)?),
        })
    }

    fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        let mut files = vec![
            ("report.md", self.print(Format::Markdown)?),
            ("results.csv", data::csv(self.runs)?),
            ("results.json", self.print(Format::Json)?),
        ];
        if !self.against.is_empty() {
            files.push(("against.csv", against::csv(self.against)?));
        }
        for (name, content) in files {
            let path = folder.join(name);
            fs::write(&path, content).map_err(|e| Error::io("write", &path, &e))?;
            say(&format!("written: {}\n", path.display()));
        }
        Ok(())
    }
}
