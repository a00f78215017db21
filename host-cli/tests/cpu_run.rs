//! Whole runs on the CPU backend in bf16, of a model whose scan is made of chunks: the same answers whatever is
//! computed beside them.

#[expect(dead_code, reason = "the example's main")]
#[path = "../examples/random_mamba2.rs"]
mod random_mamba2;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use random_mamba2::{Sizes, write};

/// The answers by task and sample.
fn answers(model: &Path, options: &[&str]) -> BTreeMap<(String, u64), String> {
    let out = tempfile::tempdir().unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_longseq"))
        .args(["run", "--tasks", "niah_single_2,niah_multivalue", "--lengths", "1300"])
        .args(["--samples", "7", "--backend", "cpu", "--compute", "bf16"])
        .arg("--model")
        .arg(model)
        .arg("--out")
        .arg(out.path())
        .args(options)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut answers = BTreeMap::new();
    for task in ["niah_single_2", "niah_multivalue"] {
        let path = out.path().join(format!("predictions/1300/{task}.jsonl"));
        for line in fs::read_to_string(path).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let sample = line["others"]["sample"].as_u64().unwrap();
            answers.insert((task.to_owned(), sample), line["pred"].as_str().unwrap().to_owned());
        }
    }
    answers
}

#[test]
fn answers_depend_on_neither_threads_nor_batch_nor_prefixes() {
    let model = tempfile::tempdir().unwrap();
    // Whole panels of 32, as the published models have them: only then are there chunks. A long memory and small
    // embeddings, so that a prompt cut off the grid changes answers.
    let sizes = Sizes { width: 64, head: 32, state: 64, embedding: 0.01, a_log: [-6.0, -4.0] };
    write(model.path(), sizes).unwrap();
    let expected = answers(model.path(), &["--no-shared-prefix", "--batch", "1", "--threads", "1"]);
    assert_eq!(expected.len(), 14);
    assert!(expected.values().all(|answer| answer.len() > 100), "{expected:?}");
    for options in [
        ["--batch", "1", "--threads", "2"],
        ["--batch", "3", "--threads", "3"],
        ["--batch", "8", "--threads", "2"],
    ] {
        let found = answers(model.path(), &options);
        assert!(found == expected, "{options:?}: {found:#?} {expected:#?}");
    }
}
