//! `longseq inspect`: what a checkpoint is, and what a sequence costs.

use std::path::Path;

use indicatif::{HumanBytes, HumanCount};
use longseq_core::hybrid::config::{Family, Mixer, ModelConfig};
use serde_json::{Value, json};

use super::Outcome;
use crate::{
    args::inspect::InspectArgs, checkpoint::Checkpoint, engine::native::Memory, error::Result,
    table::Table, tokenizer::Tokenizer,
};

/// The lengths whose memory is shown, in tokens.
const LENGTHS: [usize; 8] =
    [1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 17];

/// Runs the subcommand.
pub fn run(args: &InspectArgs) -> Result<Outcome> {
    let checkpoint = Checkpoint::open(&args.model)?;
    let tokenizer = tokenizer(args, &checkpoint)?;
    let memory = LENGTHS
        .iter()
        .map(|&length| {
            Ok((length, Memory::predict(checkpoint.config(), length, size_of::<f32>())?))
        })
        .collect::<Result<Vec<_>>>()?;
    if args.json {
        println!("{:#}", to_json(&checkpoint, tokenizer.as_ref(), &memory));
    } else {
        print(&checkpoint, tokenizer.as_ref(), &memory);
    }
    Ok(Outcome::Done)
}

/// The tokenizer that was named, else the one in the folder, if there is one.
fn tokenizer(args: &InspectArgs, checkpoint: &Checkpoint) -> Result<Option<Tokenizer>> {
    let path: &Path = match &args.tokenizer {
        Some(path) => path,
        None if args.model.join("tokenizer.json").exists() => &args.model,
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

/// The template with which Huang (2025) ran checkpoints of the family.
const fn template(family: Family) -> &'static str {
    match family {
        Family::Llama => "sheared_llama-chat",
        Family::Mamba2 | Family::Mamba2Attention | Family::TransformerPlusPlus => "base",
    }
}

fn print(checkpoint: &Checkpoint, tokenizer: Option<&Tokenizer>, memory: &[(usize, Memory)]) {
    let config = checkpoint.config();
    let (recurrent, attention) = mixers(config);
    let dtypes = checkpoint
        .parameters_by_dtype()
        .iter()
        .map(|(dtype, count)| format!("{} {dtype}", HumanCount(*count)))
        .collect::<Vec<_>>();
    let row = |name: &str, value: String| println!("{name:<12}{value}");
    row("model", checkpoint.folder().display().to_string());
    row("family", config.family.to_string());
    let layers = config.layers;
    row("layers", format!("{layers}: {recurrent} recurrent, {attention} with attention"));
    row("width", config.width.to_string());
    row("vocabulary", config.vocabulary.to_string());
    let (parameters, bytes) = (HumanCount(checkpoint.parameters()), HumanBytes(checkpoint.bytes()));
    row("parameters", format!("{parameters} ({}) in {bytes}", dtypes.join(", ")));
    row(
        "end of text",
        match checkpoint.end_of_text() {
            [] => "none: the task's number of tokens is always written".to_owned(),
            ids => format!("{ids:?}"),
        },
    );
    row("template", format!("{} in Huang (2025); base unless asked for", template(config.family)));
    match tokenizer {
        None => row("tokenizer", "none in the folder; name one with --tokenizer".to_owned()),
        Some(tokenizer) => {
            let ids = tokenizer.vocabulary();
            row("tokenizer", format!("{}, {ids} token ids", tokenizer.path().display()));
            row(
                "BOS",
                match tokenizer.bos() {
                    None => "none".to_owned(),
                    Some(bos) => format!("{} = {} ({})", bos.token, bos.id, bos.source),
                },
            );
        }
    }
    println!("\nMemory of one sequence in f32:");
    let cells = |&(length, memory): &(usize, Memory)| {
        let Memory { state, cache, .. } = memory;
        let bytes = [state, cache, state.saturating_add(cache)].map(HumanBytes);
        [length.to_string()].into_iter().chain(bytes.map(|bytes| bytes.to_string())).collect()
    };
    let header = ["tokens", "recurrent state", "keys and values", "together"];
    let table = Table {
        header: header.map(str::to_owned).to_vec(),
        rows: memory.iter().map(cells).collect(),
    };
    print!("{}", table.to_text(true));
}

fn to_json(
    checkpoint: &Checkpoint,
    tokenizer: Option<&Tokenizer>,
    memory: &[(usize, Memory)],
) -> Value {
    let config = checkpoint.config();
    let (recurrent, attention) = mixers(config);
    let memory = memory.iter().map(|(tokens, memory)| {
        json!({"tokens": tokens, "state_bytes": memory.state, "cache_bytes": memory.cache})
    });
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
        "template_of_huang2025": template(config.family),
        "tokenizer": tokenizer,
        "f32_memory_of_a_sequence": memory.collect::<Vec<_>>(),
    })
}
