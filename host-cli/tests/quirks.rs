//! `longseq run --quirks`: other predictions, and every report says so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use longseq::{
    checkpoint::Checkpoint,
    engine::{Continuation, Engine, native::Native},
    quirks::Quirk,
    tokenizer::Tokenizer,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const QUIRK: &str = "mamba-ssm-hybrid-conv-state";

fn hybrid() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models/mamba2attn")
}

/// A character a token, few enough for the small model's vocabulary.
fn tokenizer(folder: &Path) -> PathBuf {
    let characters = (' '..='~').chain(['\n']).enumerate();
    let mut vocab: Value = characters.map(|(id, c)| (c.to_string(), json!(id))).collect();
    vocab["<unk>"] = json!(96);
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Fuse"},
        "added_tokens": [{
            "id": 96, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        }],
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "vocab": vocab, "merges": [],
        },
    });
    let path = folder.join("tokenizer.json");
    fs::write(&path, json.to_string()).unwrap();
    path
}

fn run(folder: &TempDir, out: &str, more: &[&str]) -> Output {
    let (model, out) = (hybrid(), folder.path().join(out));
    Command::new(env!("CARGO_BIN_EXE_longseq"))
        .args(["run", "--model", model.to_str().unwrap(), "--lengths", "3000", "--samples", "2"])
        .args(["--tokenizer", tokenizer(folder.path()).to_str().unwrap(), "--fit", "shrink"])
        .args(["--no-decided-stop", "--out", out.to_str().unwrap()])
        .args(more)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn report(folder: &TempDir, out: &str, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_longseq"))
        .args(["report", folder.path().join(out).to_str().unwrap(), "--format", format])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn predictions(folder: &TempDir, out: &str) -> String {
    let file = folder.path().join(out).join("predictions/3000/niah_single_1.jsonl");
    let mut lines: Vec<String> =
        fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn plan(folder: &TempDir, out: &str) -> Value {
    let bytes = fs::read(folder.path().join(out).join("plan.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_quirk_is_in_the_plan_the_predictions_and_every_report() {
    let folder = tempfile::tempdir().unwrap();
    let task = ["--tasks", "niah_single_1"];
    let quirk = [&task[..], &["--quirks", QUIRK]].concat();
    for (out, arguments) in [("correct", &task[..]), ("quirk", &quirk)] {
        let ran = run(&folder, out, arguments);
        assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
        assert_eq!(text(&ran.stderr).contains(&format!("quirks     {QUIRK}\n")), out == "quirk");
    }
    assert_ne!(predictions(&folder, "correct"), predictions(&folder, "quirk"));
    let (correct, faulty) = (plan(&folder, "correct"), plan(&folder, "quirk"));
    assert_eq!(
        (&correct["plan"]["quirks"], &faulty["plan"]["quirks"]),
        (&json!([]), &json!([QUIRK]))
    );
    // A prompt that is read in one call shares no prefix.
    assert_eq!(correct["machines"][0]["shared_prefixes"], true);
    assert_eq!(faulty["machines"][0]["shared_prefixes"], false);
    for format in ["terminal", "markdown", "csv", "json"] {
        assert!(!report(&folder, "correct", format).contains(QUIRK), "{format}");
        assert!(report(&folder, "quirk", format).contains(QUIRK), "{format}");
    }
    let other = run(&folder, "correct", &quirk);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("quirks: [] there"), "{}", text(&other.stderr));
}

/// The whole prompt is one call of the engine, though `run` cuts it elsewhere.
#[test]
fn a_run_generates_what_the_engine_does_with_the_whole_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(&folder, "quirk", &["--tasks", "niah_single_1", "--quirks", QUIRK]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let tokenizer = Tokenizer::load(&folder.path().join("tokenizer.json")).unwrap();
    let mut checkpoint = Checkpoint::open(&hybrid()).unwrap();
    checkpoint.reproduce(&[Quirk::MambaSsmHybridConvState]).unwrap();
    let weights = checkpoint.weights().unwrap();
    for line in predictions(&folder, "quirk").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let mut tokens = tokenizer.encode(line["input"].as_str().unwrap()).unwrap();
        let mut engine = Native::<f32>::new(weights.clone(), 1, 3000).unwrap();
        engine.reset(0);
        let mut written = Vec::new();
        for _ in 0..line["others"]["generated_tokens"].as_u64().unwrap() {
            let mut next = [0];
            engine.forward(&[Continuation { slot: 0, tokens: &tokens }], &mut next).unwrap();
            written.extend(next);
            tokens = next.to_vec();
        }
        assert_eq!(tokenizer.decode(&written, false).unwrap().trim(), line["pred"]);
    }
}

#[test]
fn the_forks_numbers_for_uuids_are_a_quirk_too() {
    let folder = tempfile::tempdir().unwrap();
    let depths =
        ["--profile", "huang2025", "--tasks", "niah_essay_uuids_50", "--dry-run", "--json"];
    let planned = |more: &[&str]| {
        let ran = run(&folder, "uuids", &[&depths, more].concat());
        assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
        serde_json::from_slice::<Value>(&ran.stdout).unwrap()["plan"]["quirks"].clone()
    };
    let uuids = json!(["huang2025-uuid-depths"]);
    assert_eq!(planned(&[]), uuids);
    assert_eq!(planned(&["--quirks", "huang2025-uuid-depths"]), uuids);
    assert_eq!(planned(&["--corrected-uuids"]), json!([]));
    let refused = ["--corrected-uuids", "--quirks", "huang2025-uuid-depths"];
    let refused = run(&folder, "uuids", &[&depths[..], &refused].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("concerns no task of this run"));
}
