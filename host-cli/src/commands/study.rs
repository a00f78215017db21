//! `longseq study`: runs and probes of several models, and one report.

use std::{
    collections::HashSet, ffi::OsString, path::PathBuf, sync::atomic::Ordering, time::Duration,
};

use clap::Parser as _;
use indicatif::HumanDuration;

use super::{Outcome, print, probe, report, run as run_command};
use crate::{
    args::{Args, Command, study::StudyArgs},
    checkpoint::Checkpoint,
    error::{Error, Result},
    files,
    progress::say,
    run::interrupt,
    study::{
        Extent, FULL, Model, Part, QUICK, estimate,
        own::{OWN, Own},
    },
};

/// Runs the subcommand.
pub fn run(args: &StudyArgs) -> Result<Outcome> {
    run_command::set_threads(args.threads)?;
    let extent = extent(args);
    let models = models(args)?;
    say(&said(&models, &extent)?);
    if args.dry_run {
        return print(&commands(args, &models, &extent)).map(|()| Outcome::Done);
    }
    let stop = interrupt::flag()?;
    let (mut failed, parts) = (0, models.len() * Part::ALL.len());
    let parts_of = |model| Part::ALL.into_iter().map(move |part| (model, part));
    for (number, (model, part)) in models.iter().flat_map(parts_of).enumerate() {
        let name = format!("[{}/{parts}] {}, {}", number + 1, model.name, part.name());
        let command = model.run_command(&args.out, part, &extent, args.seed);
        let Command::Run(command) = parsed(command)? else { continue };
        let Some(end) = run_command::part(&command, &name, &stop)? else { continue };
        if !end.ended {
            return Ok(interrupted(args));
        }
        failed += end.failed;
    }
    for model in &models {
        if stop.load(Ordering::Relaxed) {
            return Ok(interrupted(args));
        }
        probe_model(args, model, &extent)?;
    }
    report_all(args, &models)?;
    Ok(if failed > 0 { Outcome::DoneWithFailures } else { Outcome::Done })
}

fn interrupted(args: &StudyArgs) -> Outcome {
    let out = args.out.display();
    say(&format!("interrupted; the same command goes on where {out} stopped\n"));
    Outcome::Interrupted
}

fn extent(args: &StudyArgs) -> Extent {
    let extent = if args.quick { QUICK } else { FULL };
    Extent { samples: args.samples.map_or(extent.samples, Into::into), ..extent }
}

/// The models, those that are built in unpacked into the study's folder.
fn models(args: &StudyArgs) -> Result<Vec<Model>> {
    let own = if args.without_own { &[][..] } else { &OWN };
    let own = own.iter().map(|own: &Own| {
        let checkpoint = args.out.join("models").join(own.name);
        own.unpack(&checkpoint)?;
        Ok(Model { name: own.name.to_owned(), checkpoint })
    });
    let others = args.models.iter().map(|checkpoint| {
        let name = checkpoint.file_name().ok_or_else(|| {
            Error::new(format!("{} names no folder", checkpoint.display()))
                .help("name the checkpoint's folder with --models")
        })?;
        let name = name.to_string_lossy().into_owned();
        Ok(Model { name, checkpoint: checkpoint.clone() })
    });
    let models = own.chain(others).collect::<Result<Vec<_>>>()?;
    let mut names = HashSet::new();
    match models.iter().find(|model| !names.insert(&model.name)) {
        None => Ok(models),
        Some(model) => Err(Error::new(format!("two models are called {}", model.name))
            .help("give one of the folders another name: a study's folders are called by it")),
    }
}

/// What will be done, and how long it may take.
fn said(models: &[Model], extent: &Extent) -> Result<String> {
    let mut seconds = 0.0;
    for model in models {
        seconds += estimate::seconds(&Checkpoint::open(&model.checkpoint)?, extent)?;
    }
    let cells = Part::ALL.into_iter().map(|part| {
        let (lengths, cells) = part.lengths(extent);
        lengths.len() * cells
    });
    let (cells, models, samples) = (cells.sum::<usize>(), models.len(), extent.samples);
    let time = HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    Ok(format!(
        "study      {models} models × {cells} cells × {samples} samples: about {time} where nothing is there yet\n"
    ))
}

/// The commands that a study stands for.
fn commands(args: &StudyArgs, models: &[Model], extent: &Extent) -> String {
    let commands = models.iter().flat_map(|model| {
        let runs = Part::ALL.map(|part| model.run_command(&args.out, part, extent, args.seed));
        runs.into_iter().chain([model.probe_command(extent, args.seed)])
    });
    let line = |command: Vec<OsString>| {
        let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ") + "\n"
    };
    commands.map(line).collect()
}

/// A command as if it had been typed.
fn parsed(command: Vec<OsString>) -> Result<Command> {
    let parsed = Args::try_parse_from(command);
    parsed.map(|args| args.command).map_err(|source| Error::new(source.to_string()))
}

/// Probes a model, unless that was done already.
fn probe_model(args: &StudyArgs, model: &Model, extent: &Extent) -> Result<()> {
    let path = model.probes(&args.out);
    if path.exists() {
        return Ok(());
    }
    let Command::Probe(command) = parsed(model.probe_command(extent, args.seed))? else {
        return Ok(());
    };
    files::write_whole(&path, probe::json(&probe::probes(&command)?)?.as_bytes())
}

/// Writes the report of all runs, prints it in few lines, and says where it is.
fn report_all(args: &StudyArgs, models: &[Model]) -> Result<()> {
    let runs = models.iter().flat_map(|model| Part::ALL.map(|part| model.run(&args.out, part)));
    let runs: Vec<PathBuf> = runs.collect();
    print(&report::write_study(&runs, &args.out)?)?;
    say(&format!("open {} in a browser\n", args.out.join("report.html").display()));
    Ok(())
}
