//! `longseq probe` through the binary, its probabilities computed again from the other backend's logits.

use std::{fs, path::Path, process::Command};

use longseq::{
    checkpoint::Checkpoint,
    engine::{cpu::logits, packed::Packed},
    sample::Sample,
    tokenizer::Tokenizer,
};
use longseq_cpu::weight::Compute;
use serde_json::Value;

const OF: [&str; 6] = ["--seeding", "per-sample", "--fit", "shrink", "--seed", "7"];

fn model() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/random-mamba2")
}

fn probe(task: &str, more: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(["probe", "--length", "640", "--task", task]).args(OF).args(more);
    command.arg("--model").arg(model()).output().unwrap()
}

/// What `generate` writes: the same samples by another command.
fn samples(task: &str) -> Vec<Sample> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(["generate", "--max-seq-length", "640", "--num-samples", "2", "--task", task]);
    command.args(OF).arg("--tokenizer").arg(model()).arg("--save-dir").arg(folder.path());
    assert!(command.status().unwrap().success());
    let file = folder.path().join(format!("640/{task}/validation.jsonl"));
    let lines = fs::read_to_string(file).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// ln p of `answer` after `prompt`, by the CPU backend.
fn log_probability(checkpoint: &Checkpoint, prompt: &[u32], answer: &[u32]) -> f64 {
    let vocabulary = checkpoint.config().vocabulary;
    let text = [prompt, answer].concat();
    let packed = Packed::new(checkpoint, Compute::F32).unwrap();
    let mut rows = Vec::new();
    logits(packed, (&text, &[]), |row| {
        rows.extend_from_slice(row);
        Ok(())
    })
    .unwrap();
    let rows = rows.chunks(vocabulary).skip(prompt.len() - 1).zip(answer);
    let log = rows.map(|(row, &token)| {
        let sum: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
        f64::from(row[token as usize]) - sum.ln()
    });
    log.sum()
}

#[test]
fn probabilities_are_those_of_the_prompts_with_and_without_the_needle() {
    let (checkpoint, tokenizer) =
        (Checkpoint::open(&model()).unwrap(), Tokenizer::load(&model()).unwrap());
    for task in ["niah_single_2", "niah_multivalue"] {
        let output = probe(task, &["--samples", "2", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let probes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        for (probe, sample) in probes.iter().zip(samples(task)) {
            let text = sample.input.clone() + sample.answer_prefix.as_deref().unwrap();
            let prompt = tokenizer.encode(&text).unwrap();
            assert_eq!(probe["prompt_tokens"], prompt.len());
            let answer = tokenizer.encode(&format!(" {}", sample.outputs.join(", "))).unwrap();
            let near = |found: &Value, prompt: &[u32]| {
                let (found, expected) = (
                    found["log_probability"].as_f64().unwrap(),
                    log_probability(&checkpoint, prompt, &answer),
                );
                assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
            };
            near(&probe["with"], &prompt);
            let needles = probe["needles"].as_array().unwrap();
            assert_eq!(needles.len(), sample.outputs.len());
            for (needle, value) in needles.iter().zip(&sample.outputs) {
                let at = |index: usize| needle["tokens"][index].as_u64().unwrap() as usize;
                let (start, end) = (at(0), at(1));
                let text = tokenizer.decode(&prompt[start..end], false).unwrap();
                assert!(text.trim().starts_with("One of the special magic"), "{text}");
                assert!(text.ends_with(&format!("{value}.")), "{text}");
                assert_eq!(text.trim(), needle["text"].as_str().unwrap());
                let mut replaced = prompt.clone();
                replaced.copy_within(2 * start - end..start, start);
                near(&needle["without"], &replaced);
                for layer in needle["layers"].as_array().unwrap() {
                    assert_eq!(layer["measure"], "survival");
                    let units = layer["units"].as_array().unwrap();
                    assert!(units.iter().all(|of| (0.0..=1.0).contains(&of.as_f64().unwrap())));
                }
            }
        }
    }
}

#[test]
fn a_later_needle_is_nearer() {
    let output = probe("niah_single_1", &["--depth", "0,100"]);
    let table = String::from_utf8(output.stdout).unwrap();
    let layer = table.lines().find(|line| line.starts_with('0')).unwrap();
    let reach: Vec<f64> =
        layer.split_whitespace().skip(3).map(|cell| cell.parse().unwrap()).collect();
    assert!(reach[0] < reach[1], "{table}");
}

#[test]
fn a_sample_that_is_too_far_is_refused() {
    let output = probe("niah_single_1", &["--index", "1000000000"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("are more than"), "{said}");
}

#[test]
fn a_task_without_needles_is_refused() {
    for task in ["qa_1", "fwe"] {
        let output = probe(task, &[]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("help: probe tasks with needles"), "{said}");
    }
}
