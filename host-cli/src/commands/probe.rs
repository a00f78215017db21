//! `longseq probe`: where a model loses a needle.

use std::collections::BTreeSet;

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::{Outcome, print, prompts, run::bound_cells};
use crate::{
    args::probe::ProbeArgs,
    checkpoint::Checkpoint,
    error::{Error, Result},
    generate,
    plan::Cell,
    probe::{LayerReach, Means, Probe, probe},
    run::{
        encode::{Encoded, encode},
        ruler::Ruler,
    },
    table::Table,
    tokenizer::Tokenizer,
};

/// Runs the subcommand.
pub fn run(args: &ProbeArgs) -> Result<Outcome> {
    let probes = probes(args)?;
    print(&if args.json { json(&probes)? } else { text(&probes) })?;
    Ok(Outcome::Done)
}

/// Probes what was asked for.
pub fn probes(args: &ProbeArgs) -> Result<Vec<Probe>> {
    let checkpoint = Checkpoint::open(&args.model)?;
    let tokenizer = Tokenizer::load(args.tokenizer.as_deref().unwrap_or(&args.model))?;
    tokenizer.check_vocabulary(checkpoint.config().vocabulary)?;
    let samples = samples(args, &checkpoint, &tokenizer)?;
    let weights = checkpoint.weights()?;
    let style = ProgressStyle::with_template("probing {wide_bar} {pos} of {len}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(samples.len() as u64).with_style(style);
    let probes = samples
        .into_par_iter()
        .map(|(task, encoded)| {
            let probed = probe(&weights, &tokenizer, (&task, args.length), encoded);
            bar.inc(1);
            probed
        })
        .collect::<Result<Vec<_>>>();
    bar.finish_and_clear();
    probes
}

/// Probes as JSON.
pub fn json(probes: &[Probe]) -> Result<String> {
    let json = serde_json::to_string_pretty(probes);
    Ok(json.map_err(|source| Error::new(format!("no JSON can be made: {source}")))? + "\n")
}

/// The samples asked for, with the name of their task.
fn samples(
    args: &ProbeArgs,
    checkpoint: &Checkpoint,
    tokenizer: &Tokenizer,
) -> Result<Vec<(String, Encoded)>> {
    let (options, profile) = (&args.prompts, args.profile.into());
    let family = Some(checkpoint.config().family);
    let template = prompts::resolve_template(options, profile, family, tokenizer.path())?;
    let corpora = prompts::corpora(&args.corpora, profile);
    let setup = prompts::setup(options, profile, args.seed, &corpora, tokenizer, &template);
    let numbers = match args.index {
        Some(index) => index..index.saturating_add(1),
        None => 0..args.samples.get(),
    };
    bound_cells(numbers.end, args.length)?;
    let tasks =
        generate::tasks(profile, std::slice::from_ref(&args.task), options.corrected_uuids)?;
    let cells = generate::cells(&tasks, &options.depth, &[args.length], numbers.end)?;
    let names: Vec<String> = cells.iter().map(generate::Cell::name).collect();
    let source = Ruler::new(setup, cells);
    let pending: BTreeSet<usize> = numbers.collect();
    let mut samples = Vec::new();
    for task in names {
        let cell = Cell { length: args.length, task };
        let encoded = encode(&source, tokenizer, &cell, &pending)?;
        samples.extend(encoded.into_iter().map(|encoded| (cell.task.clone(), encoded)));
    }
    Ok(samples)
}

/// Layers by tasks: the largest reach, as a mean over samples and needles; then what the answers lose.
fn text(probes: &[Probe]) -> String {
    let mut tasks: Vec<&str> = probes.iter().map(|probe| probe.task.as_str()).collect();
    tasks.dedup();
    let of = |task: &&str| -> Vec<&Probe> {
        probes.iter().filter(|probe| probe.task == **task).collect()
    };
    let columns: Vec<Means> = tasks.iter().map(|task| Means::of(&of(task))).collect();
    let row = |head: [&str; 3], value: &dyn Fn(&Means) -> f64| -> Vec<String> {
        let values = columns.iter().map(|means| format!("{:.3}", value(means)));
        head.map(str::to_owned).into_iter().chain(values).collect()
    };
    let layers = probes.first().and_then(|probe| Some(&probe.needles.first()?.layers));
    let layers = layers.into_iter().flatten().enumerate();
    let reach = layers.map(|(layer, LayerReach { mixer, measure, .. })| {
        row([&layer.to_string(), mixer.name(), measure.name()], &|means| means.reach[layer])
    });
    let answer = [
        row(["ln p", "answer", ""], &|means| means.with),
        row(["ln p", "answer", "needle replaced"], &|means| means.without),
        row(["right", "answer", ""], &|means| means.right),
    ];
    let header = ["layer", "mixer", "measure"].into_iter().chain(tasks.iter().copied());
    let header = header.map(str::to_owned).collect();
    let table = Table { header, rows: reach.chain(answer).collect() };
    let (samples, length) = (probes.len() / tasks.len().max(1), probes[0].length);
    format!(
        "{length} tokens; means over samples ({samples} a column) of what the head or channel with most of the needle has\n\n{}",
        table.to_text(true)
    )
}
