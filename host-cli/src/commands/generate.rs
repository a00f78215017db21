//! `longseq generate`

use std::io::{BufWriter, Write as _};

use indicatif::{ProgressBar, ProgressStyle};
use longseq_core::ruler::options::Seeding;
use rayon::prelude::*;

use super::{Outcome, print, prompts};
use crate::{
    args::generate::GenerateArgs,
    error::{Error, Result},
    generate::{
        self, Cell, Setup, tasks,
        write::{Target, Written},
    },
    progress::say,
    python_json::write_line,
    tokenizer::Tokenizer,
};

/// Runs the subcommand.
pub fn run(args: GenerateArgs) -> Result<Outcome> {
    let (pre_samples, num_samples, seed) = part(&args)?;
    let cells = cells(&args, num_samples)?;
    let tokenizer = Tokenizer::load(&args.tokenizer)?;
    let profile = args.profile.into();
    let template = prompts::resolve_template(&args.options, profile, None, tokenizer.path())?;
    let corpora = prompts::corpora(&args.corpora, profile);
    let setup = prompts::setup(&args.options, profile, seed, &corpora, &tokenizer, &template);
    let setup = Setup { pre_samples, ..setup };
    let bar = ProgressBar::new((cells.len() * num_samples) as u64).with_style(style());
    // Cells do not depend on each other; each writes its own files.
    let outcomes: Vec<_> =
        cells.par_iter().map(|cell| generate(&setup, cell, &args, &bar)).collect();
    bar.finish_and_clear();
    report(&cells, outcomes)
}

/// Samples before these, number of samples and seed: of RULER's chunk, or as given.
fn part(args: &GenerateArgs) -> Result<(usize, usize, u32)> {
    let Some(chunk) = args.chunk else {
        return Ok((args.pre_samples, args.num_samples, args.seed));
    };
    let (before, samples) = chunk.of(args.num_samples);
    let step = match prompts::seeding(&args.options, args.profile.into()) {
        Seeding::Run => u32::try_from(chunk.index).ok(),
        Seeding::PerSample => Some(0),
    };
    let seed = step.and_then(|step| args.seed.checked_add(step)).ok_or_else(|| {
        Error::new("--seed plus the number of the chunk is too large").help("use a smaller --seed")
    })?;
    Ok((before, samples, seed))
}

/// Every task at every length and depth; no two write the same file.
fn cells(args: &GenerateArgs, num_samples: usize) -> Result<Vec<Cell>> {
    if args.flat && args.max_seq_length.len() > 1 {
        return Err(Error::new("--flat leaves no place for several lengths")
            .help("leave out --flat, or name one length"));
    }
    let tasks = tasks(args.profile.into(), &args.task, args.options.corrected_uuids)?;
    generate::cells(&tasks, &args.options.depth, &args.max_seq_length, num_samples)
}

fn generate(
    setup: &Setup<'_>,
    cell: &Cell,
    args: &GenerateArgs,
    bar: &ProgressBar,
) -> Result<Written> {
    let target = Target::new(&args.save_dir, (!args.flat).then_some(cell.max_seq_length), cell);
    let mut file = target.begin()?;
    let mut lines = BufWriter::new(file.as_file_mut());
    let failed = |source: std::io::Error| target.failed(&source);
    let sizes = setup.each_sample(cell, &mut |sample| {
        write_line(&mut lines, &sample).map_err(failed)?;
        bar.inc(1);
        Ok(())
    })?;
    lines.flush().map_err(failed)?;
    drop(lines);
    target.finish(file, &setup.recipe(cell, sizes), args.overwrite)
}

/// Says what was written, and at the end what was not.
fn report(cells: &[Cell], outcomes: Vec<Result<Written>>) -> Result<Outcome> {
    let mut failures = Vec::new();
    for (cell, outcome) in cells.iter().zip(outcomes) {
        let at = format!("{} at {}", cell.name(), cell.max_seq_length);
        match outcome {
            Ok(Written::New) => print(&format!("{at}: {} samples written\n", cell.num_samples))?,
            Ok(Written::Unchanged) => {
                print(&format!("{at}: {} samples there already\n", cell.num_samples))?;
            }
            Err(error) => failures.push(error),
        }
    }
    let failed = failures.len();
    if failed == 1 && cells.len() == 1 {
        return Err(failures.remove(0));
    }
    for failure in &failures {
        say(&format!("{failure}\n"));
    }
    match failed {
        0 => Ok(Outcome::Done),
        _ if failed < cells.len() => {
            say(&format!(
                "{failed} of {} tasks were not written; the reasons are above\n",
                cells.len()
            ));
            Ok(Outcome::DoneWithFailures)
        }
        _ => Err(Error::new(format!("none of the {failed} tasks could be written"))
            .help("each reason is above")),
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{pos} of {len} samples {wide_bar} {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
