//! How fast a model reads and writes: tokens a second, and the share of what the machine can do.

use std::{num::NonZeroUsize, path::PathBuf, time::Instant};

use clap::Parser;
use longseq::{
    args::run::{BackendArg, ComputeArg},
    checkpoint::Checkpoint,
    engine::{Continuation, Engine, computing::Computing},
    error::{Error, Result},
};
use longseq_benches::{
    order,
    roof::{self, Roof},
};
use longseq_core::hybrid::config::{Mixer, ModelConfig};
use serde_json::json;

/// Times prompts and single tokens of a model; prints a Markdown table, or lines of JSON
#[derive(Parser)]
struct Args {
    /// Folder of the checkpoint
    model: PathBuf,
    /// Lengths of the prompts, in tokens; none if there is no value
    #[arg(long, value_delimiter = ',', num_args = 0..=1, default_value = "512,2048,8192")]
    lengths: Vec<usize>,
    /// Tokens written after a prompt of 16; 0 leaves writing out
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
    /// Lines of JSON, of the machine and of each work, instead of the table
    #[arg(long)]
    json: bool,
}

/// What was timed.
struct Work {
    name: String,
    tokens: usize,
    /// Of each run.
    seconds: Vec<f64>,
    /// Seconds at the limit of the machine.
    at_roof: f64,
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
    let config = checkpoint.config();
    let longest = args.lengths.iter().copied().max().unwrap_or(0).max(args.written + 16);
    let mut engine = computing.engine(&checkpoint, args.batch.get(), longest)?;
    let roof = roof::measure();
    let (backend, threads) = (computing.backend(), rayon::current_num_threads());
    if args.json {
        let (model, family) = (args.model.display().to_string(), config.family.to_string());
        let backend = backend.to_string();
        let Roof { gflops, gigabytes } = roof;
        let machine = json!({"model": model, "family": family, "backend": backend,
            "threads": threads, "gflops": gflops, "gigabytes": gigabytes});
        println!("{machine}");
    } else {
        println!("{}: {}, {backend}, {threads} threads", args.model.display(), config.family);
        println!("roof: {roof}\n");
        println!("| | tokens/s, median | range | of the roof |\n|---|---|---|---|");
    }
    for &length in &args.lengths {
        let tokens: Vec<u32> = (0..length).map(|i| (i * 7919 % 1000) as u32).collect();
        let seconds = timed(args.runs, || {
            engine.reset(0);
            engine.forward(&[Continuation { slot: 0, tokens: &tokens }], &mut [0])
        })?;
        let at_roof = flops(config, &checkpoint, length) / roof.gflops / 1e9;
        let name = format!("prompt of {length}");
        println!("{}", Work { name, tokens: length, seconds, at_roof }.line(args.json));
    }
    if args.written > 0 {
        let packing = computing.packing(&checkpoint)?;
        let bytes = (packing.bytes - packing.rows) as f64;
        let at_roof = bytes * args.written as f64 / roof.gigabytes / 1e9;
        let (tokens, seconds) = (args.written * args.batch.get(), write(args, &mut *engine)?);
        let name = format!("writing, {} together", args.batch);
        println!("{}", Work { name, tokens, seconds, at_roof }.line(args.json));
    }
    Ok(())
}

/// Seconds of `args.written` steps after a short prompt, each run.
fn write(args: &Args, engine: &mut dyn Engine) -> Result<Vec<f64>> {
    let prompt: Vec<u32> = (1..17).collect();
    let slots = 0..args.batch.get();
    let mut seconds = Vec::new();
    for run in 0..=args.runs {
        slots.clone().for_each(|slot| engine.reset(slot));
        let batch: Vec<_> =
            slots.clone().map(|slot| Continuation { slot, tokens: &prompt }).collect();
        let mut next = vec![0; batch.len()];
        engine.forward(&batch, &mut next)?;
        let start = Instant::now();
        for _ in 0..args.written {
            let last = next.clone();
            let tokens = last.iter().map(std::slice::from_ref).enumerate();
            let batch: Vec<_> =
                tokens.map(|(slot, tokens)| Continuation { slot, tokens }).collect();
            engine.forward(&batch, &mut next)?;
        }
        if run > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(seconds)
}

fn timed(runs: u8, mut what: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let mut seconds = Vec::new();
    for run in 0..=runs {
        let start = Instant::now();
        what()?;
        if run > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(seconds)
}

impl Work {
    /// A row of the table, or a line of JSON.
    fn line(&self, json: bool) -> String {
        let rate = |seconds: f64| self.tokens as f64 / seconds;
        let [median, fastest, slowest] = order(self.seconds.clone());
        let share = self.at_roof / median;
        if json {
            let rates: Vec<f64> = self.seconds.iter().copied().map(rate).collect();
            let line = json!({"work": self.name, "tokens_per_second": rates, "share": share});
            return line.to_string();
        }
        let [median, slowest, fastest] = [median, slowest, fastest].map(rate);
        let (name, share) = (&self.name, share * 100.0);
        format!("| {name} | {median:.1} | {slowest:.1}–{fastest:.1} | {share:.0} % |")
    }
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
