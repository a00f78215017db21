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
    flops::flops,
    gpu::{
        self, ceilings,
        floors::Pass,
        timed::{self, Kernels},
    },
    order,
    roof::{self, Roof},
};
use longseq_core::numeric::compute::Compute;
use serde_json::json;

/// Times prompts and single tokens of a model; prints a Markdown table, or lines of JSON
#[derive(Parser)]
struct Args {
    /// Folder of the checkpoint
    model: PathBuf,
    /// Lengths of the prompts, in tokens; none if there is no value
    #[arg(long, value_delimiter = ',', num_args = 0..=1, default_value = "512,2048,8192")]
    lengths: Vec<usize>,
    /// Tokens written after a prompt; 0 leaves writing out
    #[arg(long, default_value_t = 32)]
    written: usize,
    /// Tokens of that prompt
    #[arg(long, value_delimiter = ',', default_value = "16")]
    context: Vec<NonZeroUsize>,
    /// Samples that are written together; on a GPU those that do not fit are left out
    #[arg(long, value_delimiter = ',', default_value = "1")]
    batch: Vec<NonZeroUsize>,
    /// What computes
    #[arg(long, value_enum, default_value = "cpu")]
    backend: BackendArg,
    /// In what products with weights are computed
    #[arg(long, value_enum, default_value = "bf16")]
    compute: ComputeArg,
    /// Threads [default: one a core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Measured runs of each, after one that is not
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// On a GPU: once more each, with the time of every kernel
    #[arg(long, requires = "json")]
    kernels: bool,
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
    let computing = Computing::new(args.backend, None, Some(args.compute))?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let roof = match computing {
        Computing::Cuda(_) => ceilings::measure(&mut gpu::open()?.1)?,
        _ => roof::measure(),
    };
    // One token before, and two where kernels are timed.
    let contexts = args.context.iter().map(|context| context.get() + 1 + args.written.max(2));
    let longest = args.lengths.iter().copied().chain(contexts).max().unwrap_or(0);
    let batches = fitting(args, computing, &checkpoint, longest)?;
    let slots = batches.iter().copied().max().unwrap_or(1);
    let (engine, timed) = match computing {
        Computing::Cuda(compute) if args.kernels => {
            let (engine, timed) = timed::engine(&checkpoint, compute, (slots, longest))?;
            (engine, Some(timed))
        }
        _ if args.kernels => {
            return Err(Error::new("--kernels times kernels of a GPU").help("add --backend cuda"));
        }
        _ => (computing.engine(&checkpoint, slots, longest)?, None),
    };
    let mut bench = Bench { args, computing, checkpoint: &checkpoint, engine, timed, roof };
    bench.head();
    for &length in &args.lengths {
        bench.read(length)?;
    }
    for context in args.context.iter().filter(|_| args.written > 0) {
        for &batch in &batches {
            bench.write(context.get(), batch)?;
        }
    }
    Ok(())
}

/// The batches whose slots fit on the GPU; on a CPU all.
fn fitting(
    args: &Args,
    computing: Computing,
    checkpoint: &Checkpoint,
    longest: usize,
) -> Result<Vec<usize>> {
    let batches = args.batch.iter().map(|batch| batch.get());
    let (Computing::Cuda(_), Some(usable)) = (computing, computing.usable()) else {
        return Ok(batches.collect());
    };
    let packing = computing.packing(checkpoint)?;
    let memory = computing.memory(checkpoint.config(), &packing, (1, longest))?;
    let (fit, others): (Vec<_>, Vec<_>) = batches.partition(|&batch| memory.total(batch) <= usable);
    for batch in others {
        eprintln!("{batch} together do not fit with {longest} tokens each");
    }
    Ok(fit)
}

/// A model that is timed.
struct Bench<'a> {
    args: &'a Args,
    computing: Computing,
    checkpoint: &'a Checkpoint,
    engine: Box<dyn Engine + 'a>,
    timed: Option<Kernels>,
    roof: Roof,
}

impl Bench<'_> {
    /// Says what is timed and where.
    fn head(&self) {
        let (model, family) = (self.args.model.display(), self.checkpoint.config().family);
        let (backend, threads) = (self.computing.backend(), rayon::current_num_threads());
        let Roof { gflops, gigabytes } = self.roof;
        if self.args.json {
            let (model, family) = (model.to_string(), family.to_string());
            let machine = json!({"model": model, "family": family, "backend": backend,
                "threads": threads, "gflops": gflops, "gigabytes": gigabytes});
            println!("{machine}");
        } else {
            println!("{model}: {family}, {backend}, {threads} threads");
            println!("roof: {}\n", self.roof);
            println!("| | tokens/s, median | range | of the roof |\n|---|---|---|---|");
        }
    }

    /// Times a prompt.
    fn read(&mut self, length: usize) -> Result<()> {
        let tokens = prompt(length);
        let read = |bench: &mut Self| {
            bench.engine.reset(0);
            bench.engine.forward(&[Continuation { slot: 0, tokens: &tokens }], &mut [0])
        };
        let seconds = seconds(self.args.runs, || read(self))?;
        let flops = flops(self.checkpoint.config(), self.checkpoint, length);
        let at_roof = flops / self.roof.gflops / 1e9;
        let work = Work { name: format!("prompt of {length}"), tokens: length, seconds, at_roof };
        println!("{}", work.line(self.args.json));
        let passes = self.timed.as_ref().map_or_else(Vec::new, |timed| timed.passes(length));
        self.kernels(&work.name, &passes, read)
    }

    /// Times writing.
    fn write(&mut self, context: usize, batch: usize) -> Result<()> {
        let mut seconds = Vec::new();
        for run in 0..=self.args.runs {
            let mut next = self.fill(context, batch)?;
            let start = Instant::now();
            for _ in 0..self.args.written {
                self.step(&mut next)?;
            }
            if run > 0 {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        let written = self.args.written;
        let at_roof = self.step_bytes(context, batch)? * written as f64 / self.roof.gigabytes / 1e9;
        let name = match context {
            16 => format!("writing, {batch} together"),
            _ => format!("writing after {context}, {batch} together"),
        };
        let (tokens, json) = (written * batch, self.args.json);
        let work = Work { name, tokens, seconds, at_roof };
        println!("{}", work.line(json));
        let mut next = self.fill(context, batch)?;
        // Of the prompt, the token after it and one that is written without being timed.
        let context = context + 2;
        let pass = Pass { sequences: batch, tokens: 1, context, logits: batch };
        self.kernels(&work.name, &[pass], |bench| bench.step(&mut next))
    }

    /// Slots after the same prompt and one token; the tokens that come next.
    fn fill(&mut self, context: usize, batch: usize) -> Result<Vec<u32>> {
        let mut next = [0];
        self.engine.reset(0);
        self.engine.forward(&[Continuation { slot: 0, tokens: &prompt(context) }], &mut next)?;
        (1..batch).for_each(|slot| self.engine.fork(0, slot));
        let mut next = vec![next[0]; batch];
        // A GPU copies states while the program goes on: when this token is known, it has.
        self.step(&mut next)?;
        Ok(next)
    }

    /// Writes one token in each slot.
    fn step(&mut self, next: &mut [u32]) -> Result<()> {
        let last = next.to_vec();
        let tokens = last.iter().map(std::slice::from_ref).enumerate();
        let batch: Vec<_> = tokens.map(|(slot, tokens)| Continuation { slot, tokens }).collect();
        self.engine.forward(&batch, next)
    }

    /// Bytes that a step must move: weights once, of each slot its state there and back, its keys and values once.
    fn step_bytes(&self, context: usize, batch: usize) -> Result<f64> {
        let packing = self.computing.packing(self.checkpoint)?;
        let extent = context + self.args.written / 2;
        let memory = self.computing.memory(self.checkpoint.config(), &packing, (1, extent))?;
        let slot = 2.0 * memory.state as f64 + memory.cache as f64;
        let config = self.checkpoint.config();
        // Of an embedding that is not the head, too, single rows are read.
        let rows = match self.computing {
            Computing::Cuda(compute) if !config.tied_head => {
                let bytes = if compute == Compute::F32 { 4 } else { 2 };
                config.vocabulary * config.width * bytes
            }
            _ => packing.rows,
        };
        Ok((packing.bytes - rows) as f64 + batch as f64 * slot)
    }

    /// Does it twice, and prints the times of what it asked the GPU for the second time, in these passes.
    fn kernels(
        &mut self,
        work: &str,
        passes: &[Pass],
        mut what: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let Some(timed) = self.timed.clone() else { return Ok(()) };
        what(self)?;
        timed.listen(true);
        let done = what(self);
        timed.listen(false);
        done?;
        let lines = timed.lines(work, (self.checkpoint.config(), passes), &self.roof)?;
        lines.iter().for_each(|line| println!("{line}"));
        Ok(())
    }
}

/// Token ids that every vocabulary has.
fn prompt(length: usize) -> Vec<u32> {
    (0..length).map(|i| (i * 7919 % 1000) as u32).collect()
}

fn seconds(runs: u8, mut what: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
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
