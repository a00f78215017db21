//! `longseq inspect`: what a checkpoint is, and what a sequence costs.

mod memory;
mod prompt;

use std::path::Path;

use indicatif::{HumanBytes, HumanCount};
use longseq_core::hybrid::config::{Mixer, ModelConfig};
use serde_json::{Value, json};

use self::memory::RunMemory;
use super::{Outcome, print};
use crate::{
    args::inspect::InspectArgs, checkpoint::Checkpoint, error::Result, paper::systems,
    tokenizer::Tokenizer,
};

/// Runs the subcommand.
pub fn run(args: &InspectArgs) -> Result<Outcome> {
    let checkpoint = Checkpoint::open(&args.model)?;
    let tokenizer = tokenizer(args, &checkpoint)?;
    if args.prompt {
        prompt::show(args, &checkpoint, tokenizer.as_ref())?;
        return Ok(Outcome::Done);
    }
    let memory = RunMemory::new(args, &checkpoint)?;
    let on_gpu = RunMemory::on_gpu(args, &checkpoint)?;
    if args.json {
        let json = to_json(&checkpoint, tokenizer.as_ref(), (&memory, on_gpu.as_ref()));
        print(&format!("{json:#}\n"))?;
    } else {
        let facts = facts(&checkpoint, tokenizer.as_ref());
        let facts: String = facts.map(|(name, value)| format!("{name:<12}{value}\n")).collect();
        let on_gpu = on_gpu.map_or_else(String::new, |on_gpu| format!("\n{on_gpu}"));
        print(&format!("{facts}\n{memory}{on_gpu}"))?;
    }
    Ok(Outcome::Done)
}

/// The tokenizer that was named, else the one in the folder, if there is one.
fn tokenizer(args: &InspectArgs, checkpoint: &Checkpoint) -> Result<Option<Tokenizer>> {
    let path: &Path = match &args.tokenizer {
        Some(path) => path,
        None if Tokenizer::is_in(&args.model) => &args.model,
        None => return Ok(None),
    };
    let tokenizer = Tokenizer::load(path)?;
    tokenizer.check_vocabulary(checkpoint.config().vocabulary)?;
    Ok(Some(tokenizer))
}

/// How many layers have which mixer.
fn mixers(config: &ModelConfig) -> (usize, usize) {
    let attention = (0..config.layers)
        .filter(|&layer| matches!(config.mixer(layer), Some(Mixer::Attention(_))))
        .count();
    (config.layers - attention, attention)
}

/// What is known, by name.
fn facts(
    checkpoint: &Checkpoint,
    tokenizer: Option<&Tokenizer>,
) -> impl Iterator<Item = (&'static str, String)> {
    let config = checkpoint.config();
    let (layers, (recurrent, attention)) = (config.layers, mixers(config));
    let dtypes = checkpoint.parameters_by_dtype().iter();
    let dtypes: Vec<_> =
        dtypes.map(|(dtype, count)| format!("{} {dtype}", HumanCount(*count))).collect();
    let (parameters, bytes) = (HumanCount(checkpoint.parameters()), HumanBytes(checkpoint.bytes()));
    let end_of_text = match checkpoint.end_of_text() {
        [] => "none: the task's number of tokens is always written".to_owned(),
        ids => format!("{ids:?}"),
    };
    let (tokenizer, bos) = match tokenizer {
        None => ("none in the folder; name one with --tokenizer".to_owned(), "unknown".to_owned()),
        Some(tokenizer) => (
            format!("{}, {} token ids", tokenizer.path().display(), tokenizer.vocabulary()),
            tokenizer.bos().map_or("none".to_owned(), |bos| {
                format!("{} = {} ({})", bos.token, bos.id, bos.source)
            }),
        ),
    };
    let template = systems::template(config.family);
    [
        ("model", checkpoint.folder().display().to_string()),
        ("family", config.family.to_string()),
        ("layers", format!("{layers}: {recurrent} recurrent, {attention} with attention")),
        ("width", config.width.to_string()),
        ("vocabulary", config.vocabulary.to_string()),
        ("parameters", format!("{parameters} ({}) in {bytes}", dtypes.join(", "))),
        ("end of text", end_of_text),
        ("template", format!("{template} with profile huang2025, as in the paper; else base")),
        ("tokenizer", tokenizer),
        ("BOS", bos),
    ]
    .into_iter()
}

fn to_json(
    checkpoint: &Checkpoint,
    tokenizer: Option<&Tokenizer>,
    (memory, on_gpu): (&RunMemory, Option<&RunMemory>),
) -> Value {
    let config = checkpoint.config();
    let (recurrent, attention) = mixers(config);
    let tokenizer = tokenizer.map(|tokenizer| {
        let bos = tokenizer
            .bos()
            .map(|bos| json!({"id": bos.id, "token": bos.token, "source": bos.source}));
        json!({
            "path": tokenizer.path(), "sha256": tokenizer.sha256(),
            "vocabulary": tokenizer.vocabulary(), "bos": bos,
        })
    });
    json!({
        "model": checkpoint.folder(),
        "family": config.family.name(),
        "layers": {"recurrent": recurrent, "attention": attention},
        "width": config.width,
        "vocabulary": config.vocabulary,
        "parameters": checkpoint.parameters(),
        "parameters_by_dtype": checkpoint.parameters_by_dtype(),
        "bytes": checkpoint.bytes(),
        "end_of_text": checkpoint.end_of_text(),
        "template_of_huang2025": systems::template(config.family),
        "tokenizer": tokenizer,
        "f32_memory_of_a_sequence": memory.of_a_sequence(),
        "memory_of_a_run": memory.of_a_run(),
        "memory_of_a_run_on_a_gpu": on_gpu.map(RunMemory::of_a_run),
    })
}
