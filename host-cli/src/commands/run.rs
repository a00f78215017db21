//! `longseq run`: plan → check → generate → run → journal.

mod batch;
mod chosen;
mod end;

use std::{collections::BTreeMap, num::NonZeroUsize, path::Path, sync::atomic::AtomicBool};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use self::chosen::Chosen;
pub use self::end::End;
use super::{Outcome, print, prompts};
use crate::{
    args::run::{RunArgs, RunningArgs},
    checkpoint::Checkpoint,
    corpora::{Corpora, Source},
    engine::{computing::Computing, packed::Packing},
    error::{Error, Result},
    generate::{self, Setup, fit_name, seeding_name},
    journal::Folder,
    plan::{
        Beside, CheckpointFiles, Corpus, Footprint, Machine, ModelCard, Plan, PlanFile, Program,
        SequenceBytes, TemplateText, TokenizerFile, cpu_model,
    },
    progress::{Progress, say},
    quirks,
    run::{self, Parts, cell::Schedule, check::Check, estimate::Estimate, interrupt, ruler::Ruler},
    tokenizer::Tokenizer,
};

/// The most samples of a cell that are accepted, however short they are.
const MOST_SAMPLES: usize = 1_000_000;

/// The most prompt tokens of a cell that are accepted: some gigabytes of text and token ids.
const MOST_TOKENS: usize = 1 << 30;

/// The most threads that are started.
const MOST_THREADS: usize = 1024;

/// Runs the subcommand.
pub fn run(args: &RunArgs) -> Result<Outcome> {
    set_threads(args.running.threads)?;
    let stop = interrupt::flag()?;
    match execute(args, None, &stop)? {
        Some((end, plan)) => end.tell(args, &plan),
        None => Ok(Outcome::Done),
    }
}

/// Runs a part of a study, which sets threads, watches for Ctrl-C and says what comes out; `None` with `--dry-run`.
pub fn part(args: &RunArgs, name: &str, stop: &AtomicBool) -> Result<Option<End>> {
    Ok(execute(args, Some(name), stop)?.map(|(end, _)| end))
}

/// What was done of a plan; `None` with `--dry-run`.
fn execute(args: &RunArgs, part: Option<&str>, stop: &AtomicBool) -> Result<Option<(End, Plan)>> {
    let RunningArgs { backend, precision, compute, .. } = args.running;
    let computing = Computing::new(backend, precision, compute)?;
    let mut checkpoint = Checkpoint::open(&args.model)?;
    checkpoint.reproduce(&args.running.quirks)?;
    let card = ModelCard::read(&args.model)?;
    let tokenizer = Tokenizer::load(args.tokenizer.as_deref().unwrap_or(&args.model))?;
    tokenizer.check_vocabulary(checkpoint.config().vocabulary)?;
    let (options, family) = (&args.prompts, checkpoint.config().family);
    let Chosen { tasks, lengths, samples, profile } = Chosen::new(args, family)?;
    let template = prompts::resolve_template(options, profile, Some(family), tokenizer.path())?;
    let corpora = prompts::corpora(&args.corpora, profile);
    let setup = prompts::setup(options, profile, args.seed, &corpora, &tokenizer, &template);
    let tasks = generate::tasks(profile, &tasks, options.corrected_uuids)?;
    let cells = generate::cells(&tasks, &options.depth, &lengths, samples)?;
    let sources = sources(&corpora, &cells)?;
    let plan = plan(args, &setup, samples, &cells, &sources, &checkpoint, computing)?;
    PlanFile::find(&args.out, &plan)?;
    let folder = if args.dry_run { None } else { Some(Folder::lock(&args.out)?) };
    let mut schedule = schedule(args, samples, &checkpoint, computing);
    let source = Ruler::new(setup, cells);
    let check = check(&plan, &args.out, &source, &tokenizer, schedule)?;
    let packing = computing.packing(&checkpoint)?;
    if args.running.batch.is_none() {
        schedule.batch = batch::fitting(schedule, computing.usable(), |slots| {
            computing.memory(checkpoint.config(), &packing, (slots, check.longest()))
        })?;
    }
    let memory =
        computing.memory(checkpoint.config(), &packing, (schedule.slots(), check.longest()))?;
    let estimate = Estimate { plan: &plan, check: &check, tokenizer: &tokenizer, schedule, memory };
    if part.is_none() {
        say(&estimate.to_string());
    }
    let Some(folder) = folder else {
        return print_plan(args, &plan, &check).map(|()| None);
    };
    let machine = machine(args, schedule, &tokenizer, &sources);
    let beside = Beside {
        first_prompt: check.first.clone(),
        card,
        memory: Some(footprint(&plan, &checkpoint, computing, &packing)?),
    };
    let mut journal = folder.open(&plan, beside, &machine)?;
    let parts = Parts { plan: &plan, source: &source, tokenizer: &tokenizer, schedule, stop };
    let engine = || computing.engine(&checkpoint, schedule.slots(), check.longest());
    let ended = check.pending() == 0 || {
        let mut progress = Progress::new(check.work(), part);
        let ended = run::run(parts, &check, &mut *engine()?, &mut journal, &mut progress);
        progress.finish();
        ended?
    };
    let samples = check.finished + check.pending();
    Ok(Some((End { samples, failed: journal.failed(), ended }, plan)))
}

fn schedule(
    args: &RunArgs,
    samples: usize,
    checkpoint: &Checkpoint,
    computing: Computing,
) -> Schedule {
    let batch = args.running.batch.map_or(batch::most(computing), NonZeroUsize::get);
    Schedule {
        // No cell has more samples.
        batch: batch.min(samples),
        shared_prefixes: !args.running.no_shared_prefix
            && !checkpoint.config().reads_prompts_whole(),
        grid: computing.grid(),
    }
}

/// Starts so many threads, for the whole of the program.
pub fn set_threads(threads: Option<NonZeroUsize>) -> Result<()> {
    // 0 stands for one a core.
    let threads = threads.map_or(0, NonZeroUsize::get);
    let help = "leave out --threads: the default is one a core";
    if threads > MOST_THREADS {
        return Err(
            Error::new(format!("{threads} threads are more than {MOST_THREADS}")).help(help)
        );
    }
    // This thread is one of them: it takes part in a forward pass rather than hand it over and wait.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    pool.build_global()
        .map_err(|source| Error::new(format!("cannot start threads: {source}")).help(help))
}

/// Reads the corpora that the cells may use; where each came from, once.
fn sources<'a>(corpora: &'a Corpora, cells: &[generate::Cell]) -> Result<Vec<&'a Source>> {
    let mut sources: BTreeMap<&str, &Source> = BTreeMap::new();
    for cell in cells {
        for source in corpora.read_for(&cell.task.recipe)? {
            sources.insert(source.corpus, source);
        }
    }
    Ok(sources.into_values().collect())
}

fn plan(
    args: &RunArgs,
    setup: &Setup<'_>,
    samples: usize,
    cells: &[generate::Cell],
    sources: &[&Source],
    checkpoint: &Checkpoint,
    computing: Computing,
) -> Result<Plan> {
    let corpus =
        |source: &&Source| Corpus { name: source.corpus.to_owned(), sha256: source.sha256.clone() };
    let (tokenizer, template) = (setup.tokenizer, setup.template);
    let quirks = quirks::in_force(&args.running.quirks, cells)?;
    let plan = Plan {
        program: Program::this(),
        profile: setup.profile.name().to_owned(),
        tasks: distinct(cells.iter().map(generate::Cell::name)),
        lengths: distinct(cells.iter().map(|cell| cell.max_seq_length)),
        samples,
        seed: setup.seed,
        seeding: seeding_name(setup.seeding).to_owned(),
        fit: fit_name(setup.fit).to_owned(),
        depths: args.prompts.depth.clone(),
        corrected_uuids: args.prompts.corrected_uuids,
        remove_newline_tab: setup.remove_newline_tab,
        template: TemplateText {
            name: template.name().to_owned(),
            text: template.text().to_owned(),
        },
        corpora: sources.iter().map(corpus).collect(),
        tokenizer: TokenizerFile {
            sha256: tokenizer.sha256().to_owned(),
            vocabulary: tokenizer.vocabulary(),
            bos: tokenizer.bos().map(|bos| bos.id),
        },
        checkpoint: CheckpointFiles {
            family: checkpoint.config().family.name().to_owned(),
            parameters: checkpoint.parameters(),
            sha256: checkpoint.sha256()?,
        },
        backend: computing.backend(),
        precision: computing.precision(checkpoint).to_owned(),
        end_of_text: checkpoint.end_of_text().to_vec(),
        decided_stop: !args.running.no_decided_stop,
        quirks: quirks.iter().map(|quirk| quirk.name().to_owned()).collect(),
    };
    let longest = plan.lengths.iter().max().copied().unwrap_or(0);
    bound_cells(plan.samples, longest)?;
    Ok(plan)
}

/// Refuses cells of nothing, and cells whose samples would not fit in memory.
pub fn bound_cells(samples: usize, longest: usize) -> Result<()> {
    if samples == 0 {
        return Err(Error::new("nothing to run: --samples 0").help("ask for at least one"));
    }
    let what = if samples.saturating_mul(longest) > MOST_TOKENS {
        format!("{samples} samples of {longest} tokens are more than {MOST_TOKENS} tokens")
    } else if samples > MOST_SAMPLES {
        format!("{samples} samples a cell are more than {MOST_SAMPLES}")
    } else {
        return Ok(());
    };
    Err(Error::new(what).help("ask for fewer: a cell's samples are held in memory"))
}

/// Each item once, in order of first appearance.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.fold(Vec::new(), |mut distinct, item| {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
        distinct
    })
}

fn check(
    plan: &Plan,
    root: &Path,
    source: &Ruler<'_>,
    tokenizer: &Tokenizer,
    schedule: Schedule,
) -> Result<Check> {
    let style = ProgressStyle::with_template("checking {msg} {wide_bar} {pos} of {len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(plan.cells().len() as u64).with_style(style);
    let check = Check::new(plan, root, source, tokenizer, schedule, |cell| {
        bar.set_message(cell.to_string());
        bar.inc(1);
    });
    bar.finish_and_clear();
    check
}

fn machine(
    args: &RunArgs,
    schedule: Schedule,
    tokenizer: &Tokenizer,
    sources: &[&Source],
) -> Machine {
    let origin = |source: &&Source| (source.corpus.to_owned(), source.origin.clone());
    Machine {
        cpu: cpu_model(),
        threads: rayon::current_num_threads(),
        batch: schedule.batch,
        shared_prefixes: schedule.shared_prefixes,
        model: args.model.display().to_string(),
        tokenizer: tokenizer.path().display().to_string(),
        corpora: sources.iter().map(origin).collect(),
    }
}

/// What the model takes, of one sequence at each length of the plan.
fn footprint(
    plan: &Plan,
    checkpoint: &Checkpoint,
    computing: Computing,
    packing: &Packing,
) -> Result<Footprint> {
    let memory = |length| computing.memory(checkpoint.config(), packing, (1, length));
    let sequence = plan.lengths.iter().map(|&length| {
        let bytes = memory(length)?.slot();
        Ok(SequenceBytes { length, bytes })
    });
    Ok(Footprint { weights: packing.bytes as u64, sequence: sequence.collect::<Result<_>>()? })
}

/// `--dry-run` ends here.
fn print_plan(args: &RunArgs, plan: &Plan, check: &Check) -> Result<()> {
    let sha256 = plan.sha256();
    print(&if args.json {
        let said = json!({"plan_sha256": sha256, "plan": plan, "first_prompt": check.first});
        format!("{said}\n")
    } else {
        format!("nothing was run (--dry-run); the plan is {sha256}\n")
    })
}
