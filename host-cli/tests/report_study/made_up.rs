//! Folders of runs with made-up predictions, shaped like a study's: nothing here was computed by a
//! model.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::runs::TASKS;

/// Lengths in tokens; the training length is the second.
pub const LENGTHS: [usize; 5] = [256, 512, 1024, 2048, 4096];

/// Samples of a cell.
pub const SAMPLES: usize = 30;

/// Name, family, the mean score up to the training length, what is left of it for each doubling
/// beyond, tokens a second at 256 tokens, bytes of a state, bytes of a token's keys and values.
type MadeUp = (&'static str, &'static str, f64, f64, f64, u64, u64);

const MODELS: [MadeUp; 5] = [
    ("mamba2", "Mamba2", 0.82, 0.55, 52e3, 270_000, 0),
    ("mamba2attn", "Mamba2Attention", 0.93, 0.48, 47e3, 200_000, 512),
    ("transformerpp", "Transformer++", 0.95, 0.02, 61e3, 0, 4096),
    ("rwkv6", "RWKV-6", 0.78, 0.7, 39e3, 140_000, 0),
    ("recurrentgemma", "RecurrentGemma", 0.94, 0.6, 44e3, 30_000, 256),
];

/// A folder for each model's tasks, and one for its needles at depths.
pub fn runs(parent: &Path) -> Vec<PathBuf> {
    let depths: Vec<String> = ["niah_single_1", "niah_single_2", "niah_single_3"]
        .iter()
        .flat_map(|task| [0, 20, 40, 50, 60, 80, 100].map(|depth| format!("{task}_depth{depth}")))
        .collect();
    let tasks = TASKS.map(str::to_owned);
    let both = MODELS.iter().flat_map(|model| {
        [
            run(parent, model, "tasks", &tasks, &LENGTHS),
            run(parent, model, "depths", &depths, &LENGTHS[1..3]),
        ]
    });
    both.collect()
}

fn run(parent: &Path, model: &MadeUp, part: &str, tasks: &[String], lengths: &[usize]) -> PathBuf {
    let &(name, family, _, _, rate, state, cache) = model;
    let folder = parent.join(format!("{name}-{part}"));
    fs::create_dir_all(&folder).unwrap();
    let sequence =
        |&length: &usize| json!({ "length": length, "bytes": state + cache * length as u64 });
    let plan = json!({
        "plan_sha256": format!("made up {name} {part}"),
        "plan": {
            "program": { "version": "0.0.0", "commit": "made-up" },
            "profile": "made up", "tasks": tasks, "lengths": lengths, "samples": SAMPLES,
            "seed": 42, "seeding": "per-sample", "fit": "exact", "depths": [],
            "template": { "name": "base", "text": "{task_template}" },
            "corpora": [],
            "checkpoint": { "family": family, "parameters": 1_200_000, "sha256": name },
            "backend": "cpu made-up", "precision": "bf16", "quirks": [],
        },
        "card": { "name": format!("made-up {name}"), "training_length": LENGTHS[1] },
        "memory": {
            "weights": 2_400_000,
            "sequence": lengths.iter().map(sequence).collect::<Vec<_>>(),
        },
        "machines": [{
            "cpu": "made up", "threads": 2, "batch": 8, "shared_prefixes": true,
            "model": format!("models/{name}"), "tokenizer": "t", "corpora": {},
        }],
    });
    fs::write(folder.join("plan.json"), plan.to_string()).unwrap();
    let mut timings = String::new();
    for &length in lengths {
        for task in tasks {
            write_cell(&folder, model, task, length);
            let tokens = length * SAMPLES;
            let slower = 1.0 + cache as f64 * length as f64 / 4e6;
            let seconds = tokens as f64 * slower / rate;
            let timing = json!({
                "length": length, "task": task, "tokens": tokens, "seconds": seconds,
            });
            writeln!(timings, "{timing}").unwrap();
        }
    }
    fs::write(folder.join("timings.jsonl"), timings).unwrap();
    if name == "rwkv6" && part == "tasks" {
        let failure = json!({
            "length": 4096, "task": "qa_2", "sample": SAMPLES - 1, "error": "made up <failure>",
        });
        fs::write(folder.join("failures.jsonl"), format!("{failure}\n")).unwrap();
    }
    folder
}

fn write_cell(folder: &Path, model: &MadeUp, task: &str, length: usize) {
    let references = if task.contains("multi") && !task.contains("key") { 3 } else { 1 };
    let mut lines = String::new();
    let all =
        if (model.0, task, length) == ("rwkv6", "qa_2", 4096) { SAMPLES - 1 } else { SAMPLES };
    for sample in 0..all {
        let mut prompt = Draws::new(&format!("{task} {length} {sample}"));
        let outputs: Vec<String> =
            (0..references).map(|_| format!("{}", 1_000_000 + prompt.bits() % 9_000_000)).collect();
        let mut answer = Draws::new(&format!("{} {task} {length} {sample}", model.0));
        let difficulty = prompt.unit();
        let chance = chance(model, task, length);
        let found = |_: &&String| 0.6 * difficulty + 0.4 * answer.unit() < chance;
        let pred: Vec<String> = outputs.iter().filter(found).cloned().collect();
        let pred =
            if pred.is_empty() { "I <b>made</b> this up".to_owned() } else { pred.join(", ") };
        let needles = outputs.iter().enumerate().map(|(reference, _)| {
            json!({ "reference": reference, "token": (reference + 1) * length / 5 })
        });
        let input = format!(
            "A made-up prompt: {}The answer {} is here. {}What is it?",
            "The grass is green. ".repeat(length / 10),
            outputs.join(" and "),
            "The sky is blue. ".repeat(length / 10),
        );
        let line = json!({
            "index": sample, "pred": pred, "input": input, "outputs": outputs,
            "others": {
                "sample": sample, "finish": "eos", "prompt_tokens": length - 48,
                "generated_tokens": 12, "needles": needles.collect::<Vec<_>>(),
            },
            "truncation": 0, "length": length,
        });
        writeln!(lines, "{line}").unwrap();
    }
    let predictions = folder.join("predictions").join(length.to_string());
    fs::create_dir_all(&predictions).unwrap();
    fs::write(predictions.join(format!("{task}.jsonl")), lines).unwrap();
}

/// The chance to find a reference: falling with the length past 512, lower in the middle, and lower
/// for later tasks.
fn chance(&(_, _, at_512, kept, ..): &MadeUp, task: &str, length: usize) -> f64 {
    let beyond = (length as f64 / LENGTHS[1] as f64).log2().max(0.0);
    let place = TASKS.iter().position(|of| task.starts_with(of)).unwrap_or(0);
    let format = if place == 0 { 1.0 } else { 1.6 };
    let middle = match task.split_once("_depth") {
        Some((_, depth)) => {
            let depth: f64 = depth.parse().unwrap();
            1.0 - 0.35 * (1.0 - (depth - 50.0).abs() / 50.0)
        }
        None => 1.0,
    };
    at_512 * (1.0 - 0.05 * place as f64) * kept.powf(beyond * format) * middle
}

/// Draws of a small generator, seeded by a text.
struct Draws(u64);

impl Draws {
    fn new(seed: &str) -> Self {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
    }

    fn bits(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn unit(&mut self) -> f64 {
        self.bits() as f64 / (1_u64 << 31) as f64
    }
}
