//! `longseq logits`: token ids in, a safetensors file out.

use std::{
    fs,
    io::{BufWriter, Write as _},
    num::NonZeroUsize,
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};
use longseq_core::numeric::Real;
use serde_json::json;
use tempfile::NamedTempFile;

use super::{Outcome, print};
#[cfg(feature = "cuda")]
use crate::engine::cuda;
use crate::{
    args::{logits::LogitsArgs, run::PrecisionArg},
    checkpoint::Checkpoint,
    engine::{
        computing::Computing,
        cpu,
        native::{self, Rows},
        packed::Packed,
    },
    error::{Error, Result},
    files,
    quirks::Quirk,
};

/// Runs the subcommand.
pub fn run(args: &LogitsArgs) -> Result<Outcome> {
    let computing = Computing::new(args.backend, args.precision, args.compute)?;
    let ids = match &args.input_ids_file {
        Some(path) => read_ids(path)?,
        None => args.input_ids.clone(),
    };
    refuse_device(&args.output)?;
    if ids.is_empty() {
        return Err(Error::new("no token ids").help("give at least one"));
    }
    let prompt = args.prompt_tokens.map_or(ids.len(), NonZeroUsize::get);
    if prompt > ids.len() {
        return Err(Error::new(format!("--prompt-tokens {prompt}, but {} token ids", ids.len()))
            .help("the prompt is part of the token ids"));
    }
    let mut checkpoint = Checkpoint::open(&args.model)?;
    if args.quirks.contains(&Quirk::Huang2025UuidDepths) {
        return Err(Error::new(format!(
            "--quirks {} concerns prompts",
            Quirk::Huang2025UuidDepths
        ))
        .help("leave it out: the token ids are given"));
    }
    checkpoint.reproduce(&args.quirks)?;
    write(&checkpoint, &ids, prompt, computing, &args.output)?;
    let (tokens, vocabulary) = (ids.len(), checkpoint.config().vocabulary);
    print(&format!("{}: logits, f32, [{tokens}, {vocabulary}]\n", args.output.display()))?;
    Ok(Outcome::Done)
}

/// The file is renamed to `output` when it is complete, which would do away with a device.
fn refuse_device(output: &Path) -> Result<()> {
    match fs::metadata(output) {
        Ok(there) if !there.is_file() => {
            Err(Error::new(format!("{} is there and is no regular file", output.display()))
                .help("name a file with --output"))
        }
        _ => Ok(()),
    }
}

fn read_ids(path: &Path) -> Result<Vec<u32>> {
    let bytes = files::read(path).map_err(|source| Error::io("read", path, &source))?;
    serde_json::from_slice(&bytes).map_err(|source| {
        Error::new(format!("{} is no JSON array of token ids: {source}", path.display()))
            .help("expected is something like [12092, 13, 1533]")
    })
}

/// Writes the file row by row: all logits of a long text would not fit in memory. It takes its
/// name when it is complete.
fn write(
    checkpoint: &Checkpoint,
    ids: &[u32],
    prompt: usize,
    computing: Computing,
    output: &Path,
) -> Result<()> {
    let failed = |source: &std::io::Error| Error::io("write", output, source);
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(|s| failed(&s))?;
    let mut writer = BufWriter::new(file);
    let vocabulary = checkpoint.config().vocabulary;
    let header = header(ids.len(), vocabulary);
    writer.write_all(&header).map_err(|source| failed(&source))?;
    let bar = ProgressBar::new(ids.len() as u64).with_style(
        ProgressStyle::with_template("{pos} of {len} tokens {wide_bar} {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut see = |rows: &mut dyn ExactSizeIterator<Item = f32>| {
        let count = rows.len() / vocabulary;
        for logit in rows {
            writer.write_all(&logit.to_le_bytes()).map_err(|source| failed(&source))?;
        }
        bar.inc(count as u64);
        Ok(())
    };
    let (prompt, following) = ids.split_at(prompt);
    let text = (prompt, Rows::Every, following);
    match computing {
        Computing::Reference(PrecisionArg::F32) => {
            let weights = checkpoint.weights()?;
            native::logits::<f32>(&weights, text, None, |row| see(&mut row.iter().copied()))?;
        }
        Computing::Reference(PrecisionArg::F64) => {
            let weights = checkpoint.weights()?;
            native::logits::<f64>(&weights, text, None, |row| {
                see(&mut row.iter().map(|x| x.to_f32()))
            })?;
        }
        Computing::Cpu(compute) => {
            let packed = Packed::new(checkpoint, compute)?;
            cpu::logits(packed, (prompt, following), |row| see(&mut row.iter().copied()))?;
        }
        #[cfg(feature = "cuda")]
        Computing::Cuda(compute) => {
            let text = (prompt, following);
            cuda::logits(checkpoint, compute, text, |row| see(&mut row.iter().copied()))?;
        }
    }
    bar.finish_and_clear();
    let file = writer.into_inner().map_err(|source| failed(source.error()))?;
    files::persist(file, output).map_err(|source| failed(&source))
}

/// The safetensors header of one f32 tensor `logits` \[tokens, vocabulary\].
fn header(tokens: usize, vocabulary: usize) -> Vec<u8> {
    let shape = [tokens as u64, vocabulary as u64];
    let bytes = 4 * shape[0] * shape[1];
    let tensor = json!({"dtype": "F32", "shape": shape, "data_offsets": [0, bytes]});
    let mut json = json!({ "logits": tensor }).to_string();
    // Elements begin at a multiple of eight.
    json.extend(std::iter::repeat_n(' ', json.len().next_multiple_of(8) - json.len()));
    [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat()
}
