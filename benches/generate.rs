//! How long the prompts of each of RULER's tasks take, with the built-in corpora.
//!
//! Corpora and tokenizer are read before the clock starts; `ruler_generate.py` measures the whole
//! program, start-up included, beside RULER's script.

use std::{path::PathBuf, time::Instant};

use clap::Parser;
use longseq::{
    corpora::Corpora,
    error::Result,
    generate::{Cell, Setup},
    template::Template,
    tokenizer::Tokenizer,
};
use longseq_benches::order;
use longseq_core::ruler::{budget::Fit, options::Seeding, profile::Profile, task::TASKS};

/// Times the generation of each task's prompts; prints a Markdown table
#[derive(Parser)]
struct Args {
    /// A tokenizer.json, or a folder that holds one
    tokenizer: PathBuf,
    /// Tokens of prompt and answer together
    #[arg(long, default_value_t = 8192)]
    length: usize,
    /// Samples of each task
    #[arg(long, default_value_t = 100)]
    samples: usize,
    /// Measured runs of each task, after one that is not
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
}

fn main() {
    longseq_benches::main(run);
}

fn run(args: &Args) -> Result<()> {
    let tokenizer = Tokenizer::load(&args.tokenizer)?;
    let template = Template::resolve("base")?;
    let corpora = Corpora::default();
    let setup = Setup {
        corpora: &corpora,
        tokenizer: &tokenizer,
        template: &template,
        profile: Profile::Ruler,
        seed: 42,
        seeding: Seeding::Run,
        fit: Fit::Exact,
        remove_newline_tab: false,
        pre_samples: 0,
    };
    println!("| task | ms, median | ms, range | tokens of prompts | million tokens/s |");
    println!("|---|---|---|---|---|");
    for task in TASKS {
        let cell = Cell::new(task, None, args.length, args.samples)?;
        let samples = setup.samples(&cell, &|| {})?;
        let answers = samples.len() * task.tokens_to_generate(setup.profile);
        let tokens = samples.iter().map(|sample| sample.length).sum::<usize>() - answers;
        let mut seconds = Vec::new();
        for _ in 0..args.runs {
            let start = Instant::now();
            setup.samples(&cell, &|| {})?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        println!("{}", row(task.name, order(seconds), tokens));
    }
    Ok(())
}

fn row(task: &str, seconds: [f64; 3], tokens: usize) -> String {
    let [ms, least, most] = seconds.map(|seconds| seconds * 1e3);
    let rate = tokens as f64 / seconds[0] / 1e6;
    format!("| {task} | {ms:.1} | {least:.1}–{most:.1} | {tokens} | {rate:.1} |")
}
