//! How fast a model reads and writes: tokens a second, and the share of what the machine can do.

use std::{num::NonZeroUsize, path::PathBuf, time::Instant};

use clap::Parser;
use longseq::{
    args::run::{BackendArg, ComputeArg},
    checkpoint::Checkpoint,
    engine::{Continuation, Engine, computing::Computing},
    error::{Error, Result},
};
use longseq_benches::{order, roof};
use longseq_core::hybrid::config::{Mixer, ModelConfig};

/// Times prompts and single tokens of a model; prints a Markdown table
#[derive(Parser)]
struct Args {
    /// Folder of the checkpoint
    model: PathBuf,
    /// Lengths of the prompts, in tokens
    #[arg(long, value_delimiter = ',', default_value = "512,2048,8192")]
    lengths: Vec<usize>,
    /// Tokens written after a prompt of 16
    #[arg(long, default_value_t = 32)]
    written: usize,
    /// Samples that are written together
    #[arg(long, default_value = "1")]
    batch: NonZeroUsize,
    /// In what products with weights are computed
    #[arg(long, value_enum, default_value = "bf16")]
    compute: ComputeArg,
    /// Threads [default: one a core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Measured runs of each, after one that is not
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
}

fn main() {
    longseq_benches::main(run);
}

fn run(args: &Args) -> Result<()> {
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get());
        pool.build_global().map_err(|source| Error::new(source.to_string()))?;
    }
    let computing = Computing::new(BackendArg::Cpu, None, Some(args.compute))?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let weights = checkpoint.weights()?;
    let config = checkpoint.config();
    let longest = args.lengths.iter().copied().max().unwrap_or(0).max(args.written + 16);
    let mut engine = computing.engine(&weights, args.batch.get(), longest)?;
    let roof = roof::measure();
    let (backend, threads) = (computing.backend(), rayon::current_num_threads());
    println!("{}: {}, {backend}, {threads} threads", args.model.display(), config.family);
    println!("roof: {roof}\n");
    println!("| | tokens/s, median | range | of the roof |\n|---|---|---|---|");
    for &length in &args.lengths {
        let tokens: Vec<u32> = (0..length).map(|i| (i * 7919 % 1000) as u32).collect();
        let seconds = timed(args.runs, || {
            engine.reset(0);
            engine.forward(&[Continuation { slot: 0, tokens: &tokens }]).map(|_| ())
        })?;
        let share = |seconds: f64| flops(config, &checkpoint, length) / seconds / roof.gflops / 1e9;
        row(&format!("prompt of {length}"), length, seconds, share);
    }
    let bytes = computing.memory(&checkpoint, 1, longest)?.weights as f64;
    let written = args.written * args.batch.get();
    let seconds = write(args, &mut *engine)?;
    let share = |seconds: f64| bytes * args.written as f64 / seconds / roof.gigabytes / 1e9;
    row(&format!("writing, {} together", args.batch), written, seconds, share);
    Ok(())
}

/// Seconds of `args.written` steps after a short prompt: median, least and most.
fn write(args: &Args, engine: &mut dyn Engine) -> Result<[f64; 3]> {
    let prompt: Vec<u32> = (1..17).collect();
    let slots = 0..args.batch.get();
    let mut seconds = Vec::new();
    for run in 0..=args.runs {
        slots.clone().for_each(|slot| engine.reset(slot));
        let batch: Vec<_> =
            slots.clone().map(|slot| Continuation { slot, tokens: &prompt }).collect();
        let mut next = engine.forward(&batch)?;
        let start = Instant::now();
        for _ in 0..args.written {
            let tokens = next.iter().map(std::slice::from_ref).enumerate();
            let batch: Vec<_> =
                tokens.map(|(slot, tokens)| Continuation { slot, tokens }).collect();
            next = engine.forward(&batch)?;
        }
        if run > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(order(seconds))
}

fn timed(runs: u8, mut what: impl FnMut() -> Result<()>) -> Result<[f64; 3]> {
    let mut seconds = Vec::new();
    for run in 0..=runs {
        let start = Instant::now();
        what()?;
        if run > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(order(seconds))
}

fn row(name: &str, tokens: usize, seconds: [f64; 3], share: impl Fn(f64) -> f64) {
    let [median, fastest, slowest] = seconds.map(|seconds| tokens as f64 / seconds);
    let share = share(seconds[0]) * 100.0;
    println!("| {name} | {median:.1} | {slowest:.1}–{fastest:.1} | {share:.0} % |");
}

/// Of a prompt: two a parameter that every token meets, and the products of attention. What
/// recurrences take is not counted.
fn flops(config: &ModelConfig, checkpoint: &Checkpoint, length: usize) -> f64 {
    let tables = if config.tied_head { 1 } else { 2 } * config.vocabulary * config.width;
    let parameters = checkpoint.parameters() as f64 - tables as f64;
    let attention: f64 = (0..config.layers)
        .filter_map(|layer| match config.mixer(layer) {
            Some(Mixer::Attention(of)) => Some(of.dims),
            _ => None,
        })
        .map(|dims| {
            let seen: usize = (0..length).map(|position| dims.seen(position).len()).sum();
            4.0 * seen as f64 * dims.query_width() as f64
        })
        .sum();
    2.0 * parameters * length as f64 + attention
}
