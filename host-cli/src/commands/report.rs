//! `longseq report`: run folders in, tables out.

use std::{
    collections::HashSet,
    fs,
    io::{IsTerminal, stdout},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use super::{Outcome, print};
use crate::{
    args::report::{Format, PublishedArg, ReportArgs},
    error::{Error, Result},
    progress::say,
    report::{
        against::{self, Against},
        data,
        findings::Findings,
        html::{self, Content},
        model::{Model, models},
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
    let models = models(&runs, args.training_length.map(NonZeroUsize::get));
    let findings = Findings::new(&models);
    let against = published(args, &runs)?;
    let report = Report { runs: &runs, models: &models, against: &against, findings: &findings };
    match &args.out {
        Some(file) if args.format == Format::Html => {
            write_file(file, &report.print(Format::Html)?)?;
        }
        out => {
            if let Some(folder) = out {
                report.write(folder)?;
            }
            print(&report.print(args.format)?)?;
        }
    }
    let failed = runs.iter().flat_map(|run| &run.cells).any(|cell| cell.failed > 0);
    Ok(if failed { Outcome::DoneWithFailures } else { Outcome::Done })
}

/// Writes the report of a study's runs into its folder; what it says in few lines.
pub fn write_study(runs: &[PathBuf], folder: &Path) -> Result<String> {
    let runs = runs.iter().map(|path| Run::read(path)).collect::<Result<Vec<_>>>()?;
    let models = models(&runs, None);
    let findings = Findings::new(&models);
    Report { runs: &runs, models: &models, against: &[], findings: &findings }.write(folder)?;
    Ok(text::summary(&models, &findings))
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
    models: &'r [Model<'r>],
    against: &'r [Against<'r>],
    findings: &'r Findings,
}

impl Report<'_> {
    fn print(&self, format: Format) -> Result<String> {
        let Self { runs, models, against, findings } = *self;
        Ok(match format {
            Format::Terminal => {
                let style = Style { bars: stdout().is_terminal() };
                text::terminal(runs, against, Some(findings), style)
            }
            Format::Markdown => text::markdown(runs, against, findings),
            Format::Csv if against.is_empty() => data::csv(runs)?,
            Format::Csv => against::csv(against)?,
            Format::Json => format!("{:#}\n", data::json(runs, against, findings)?),
            Format::Html => {
                html::page(Content { title: "RULER report", runs, models, findings, against })?
            }
        })
    }

    fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        let mut files = vec![
            ("report.md", self.print(Format::Markdown)?),
            ("report.html", self.print(Format::Html)?),
            ("results.csv", data::csv(self.runs)?),
            ("results.json", self.print(Format::Json)?),
        ];
        if !self.against.is_empty() {
            files.push(("against.csv", against::csv(self.against)?));
        }
        files.iter().try_for_each(|(name, content)| write_file(&folder.join(name), content))
    }
}

fn write_file(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).map_err(|e| Error::io("write", path, &e))?;
    say(&format!("written: {}\n", path.display()));
    Ok(())
}
