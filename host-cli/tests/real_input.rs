//! Whole runs on the corpus that RULER itself uses, for every family: needs `LONGSEQ_ORACLES`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Checkpoints of random weights whose vocabulary fits their tokenizer.
const CHECKPOINTS: [&str; 4] = ["mamba2", "mamba2attn", "transformerpp", "sheared-llama"];

fn longseq(arguments: &[&str], paths: &[(&str, &Path)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(arguments);
    for (flag, path) in paths {
        command.arg(flag).arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_family_fills_a_table_from_paul_grahams_essays() {
    let Some(oracles) = std::env::var_os("LONGSEQ_ORACLES").map(PathBuf::from) else {
        return eprintln!("skipped: LONGSEQ_ORACLES names no folder of further oracles");
    };
    let essays = oracles.join("../data/PaulGrahamEssays.json");
    let corpus: Value = serde_json::from_slice(&fs::read(&essays).unwrap()).unwrap();
    let corpus: Vec<&str> = corpus["text"].as_str().unwrap().split_whitespace().collect();
    let opening = corpus[..50].join(" ");
    let folder = tempfile::tempdir().unwrap();
    for checkpoint in CHECKPOINTS {
        let out = folder.path().join(checkpoint);
        let table = longseq(
            &["run", "--tasks", "niah_single_2,qa_1", "--lengths", "2048", "--samples", "2"],
            &[
                ("--model", &oracles.join("models/runnable").join(checkpoint)),
                ("--essays", &essays),
                ("--squad", &oracles.join("ruler/inputs/squad.json")),
                ("--out", &out),
            ],
        );
        for row in ["niah_single_2", "qa_1", "mean of 2 tasks"] {
            assert!(table.lines().any(|line| line.starts_with(row)), "{checkpoint}: {table}");
        }
        let needles = out.join("predictions/2048/niah_single_2.jsonl");
        let needles = fs::read_to_string(needles).unwrap();
        let lines: Vec<Value> =
            needles.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        for line in lines {
            assert!(line["input"].as_str().unwrap().contains(&opening), "{checkpoint}");
            assert_eq!(line["truncation"], 0);
        }
    }
}
