//! `longseq study` through the binary, with one of the small models: its folders, its report, its end.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn study(out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(["study", "--quick", "--samples", "1"]).args(more).arg("--out").arg(out);
    command.output().unwrap()
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/mini/rwkv6")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_model_is_run_probed_and_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let model = model().display().to_string();
    let options = ["--without-own", "--models", &model];
    let first = study(folder.path(), &options);
    assert!(first.status.success(), "{}", said(&first));
    let printed = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(printed.contains("Table 1: mean over RULER's tasks"), "{printed}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let results: Value = serde_json::from_str(&read("results.json")).unwrap();
    let runs = results["runs"].as_array().unwrap();
    let names: Vec<_> = runs.iter().map(|run| run["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["rwkv6-tasks", "rwkv6-depths"]);
    assert_eq!(runs[0]["cells"].as_array().unwrap().len(), 13 * 4);
    assert_eq!(runs[1]["cells"].as_array().unwrap().len(), 3 * 3 * 2);
    // A map of what each layer reaches.
    assert!(read("report.html").contains("reach-0-512"));
    let probes = read("runs/rwkv6-depths/probes.json");
    // The same again changes nothing, and takes what is there.
    let again = study(folder.path(), &options);
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(String::from_utf8_lossy(&again.stdout), printed);
    assert_eq!(read("runs/rwkv6-depths/probes.json"), probes);
    // With other options it is another study.
    let other = study(folder.path(), &["--seed", "7", "--without-own", "--models", &model]);
    assert_eq!(other.status.code(), Some(2));
    assert!(said(&other).contains("help:"), "{}", said(&other));
}

/// What they were trained for, on prompts that training cannot have seen.
#[test]
fn the_small_models_find_a_needle() {
    for model in ["mamba2", "mamba2attn", "transformerpp", "rwkv6", "recurrentgemma"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
        command.args(["run", "--profile", "mini", "--tasks", "niah_single_1", "--lengths", "256"]);
        command.args(["--samples", "20", "--seed", "77"]).arg("--out").arg(folder.path());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/mini").join(model);
        let output = command.arg("--model").arg(path).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let file = folder.path().join("predictions/256/niah_single_1.jsonl");
        let lines = fs::read_to_string(file).unwrap();
        let right = lines.lines().filter(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["pred"].as_str().unwrap().contains(line["outputs"][0].as_str().unwrap())
        });
        let right = right.count();
        assert!(right >= 15, "{model}: {right} of 20");
    }
}

#[test]
fn a_dry_run_says_the_time_and_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let output = study(folder.path(), &["--dry-run"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("5 models"), "{}", said(&output));
    let commands = String::from_utf8(output.stdout).unwrap();
    assert_eq!(commands.lines().filter(|line| line.starts_with("longseq run ")).count(), 10);
    assert_eq!(commands.lines().filter(|line| line.starts_with("longseq probe ")).count(), 5);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn seeds_of_the_training_and_two_models_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = study(folder.path(), &["--seed", "3000000000"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let model = model().display().to_string();
    let twice = format!("{model},{model}");
    let output = study(folder.path(), &["--without-own", "--models", &twice]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("two models are called rwkv6"), "{}", said(&output));
}
