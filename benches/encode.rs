//! How long a tokenizer takes to load, and to encode a text on one thread.

use std::{fs, path::PathBuf, time::Instant};

use clap::Parser;
use longseq::{
    error::{Error, Result},
    tokenizer::Tokenizer,
};
use longseq_benches::order;

/// Times loading a tokenizer and encoding files as one text; prints a Markdown table
#[derive(Parser)]
struct Args {
    /// A tokenizer.json, an RWKV World vocabulary, or a folder that holds one
    tokenizer: PathBuf,
    /// Files in UTF-8
    #[arg(required = true)]
    texts: Vec<PathBuf>,
    /// Measured runs of each, after one that is not
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
}

fn main() {
    longseq_benches::main(run);
}

fn run(args: &Args) -> Result<()> {
    let mut text = String::new();
    for path in &args.texts {
        text += &fs::read_to_string(path).map_err(|source| Error::io("read", path, &source))?;
    }
    let tokenizer = Tokenizer::load(&args.tokenizer)?;
    let tokens = tokenizer.encode(&text)?.len();
    let (mut load, mut encode) = (Vec::new(), Vec::new());
    for _ in 0..args.runs {
        let start = Instant::now();
        Tokenizer::load(&args.tokenizer)?;
        load.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        tokenizer.encode(&text)?;
        encode.push(start.elapsed().as_secs_f64());
    }
    let ([load, load_least, load_most], [median, least, most]) = (order(load), order(encode));
    let rate = |seconds: f64| text.len() as f64 / seconds / 1e6;
    println!(
        "| load, median ms | range ms | MB of text | tokens | encode, median MB/s | range MB/s |"
    );
    println!("|---|---|---|---|---|---|");
    println!(
        "| {:.0} | {:.0}–{:.0} | {:.2} | {tokens} | {:.0} | {:.0}–{:.0} |",
        load * 1e3,
        load_least * 1e3,
        load_most * 1e3,
        text.len() as f64 / 1e6,
        rate(median),
        rate(most),
        rate(least),
    );
    Ok(())
}
