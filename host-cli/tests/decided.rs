//! A stop at the decided score, through the binary: questions whose answers the model is known to write.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SAMPLES: usize = 8;

/// Runs `qa_1` on the questions of `squad`; its predictions by sample.
fn predictions(squad: &Path, out: &Path, options: &[&str]) -> BTreeMap<u64, Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(["run", "--tasks", "qa_1", "--lengths", "2048", "--samples", "8"]).args(options);
    command.arg("--model").arg(Path::new(ROOT).join("models/random-mamba2"));
    let output = command.arg("--squad").arg(squad).arg("--out").arg(out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = fs::read_to_string(out.join("predictions/2048/qa_1.jsonl")).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (line["others"]["sample"].as_u64().unwrap(), line)).collect()
}

fn score(out: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    let status = command.args(["score", "--pred-dir"]).arg(out).status().unwrap();
    assert!(status.success());
    fs::read_to_string(out.join("predictions/2048/summary-qa_1.csv")).unwrap()
}

/// The built-in questions; every second one of the first has a character for its answer that the
/// model writes (with random weights it hardly writes words). Answers are no part of a prompt.
fn with_answers_of(predictions: &BTreeMap<u64, Value>, file: &Path) -> usize {
    let built_in = fs::read(Path::new(ROOT).join("corpora/squad.json")).unwrap();
    let mut squad: Value = serde_json::from_slice(&built_in).unwrap();
    let articles = squad["data"].as_array_mut().unwrap().iter_mut();
    let paragraphs = articles.flat_map(|article| article["paragraphs"].as_array_mut().unwrap());
    let questions = paragraphs.flat_map(|paragraph| paragraph["qas"].as_array_mut().unwrap());
    let answerable = questions.filter(|question| question["is_impossible"] == false);
    let mut known = 0;
    for (question, (_, prediction)) in answerable.zip(predictions).step_by(2) {
        let mut written = prediction["pred"].as_str().unwrap().chars();
        let Some(letter) = written.find(char::is_ascii_graphic) else { continue };
        question["answers"] = json!([{"text": letter.to_ascii_uppercase(), "answer_start": 0}]);
        known += 1;
    }
    fs::write(file, squad.to_string()).unwrap();
    known
}

#[test]
fn a_decided_sample_ends_early_with_the_same_score() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| -> PathBuf { folder.path().join(name) };
    let built_in = Path::new(ROOT).join("corpora/squad.json");
    let squad = place("squad.json");
    let known = with_answers_of(&predictions(&built_in, &place("first"), &[]), &squad);
    assert!(known >= 2, "the model writes nothing that can be read");

    let whole = predictions(&squad, &place("whole"), &["--no-decided-stop"]);
    let decided = predictions(&squad, &place("decided"), &[]);
    assert_eq!((whole.len(), decided.len()), (SAMPLES, SAMPLES));
    let mut early = 0;
    for (sample, line) in &decided {
        let others = &line["others"];
        let (pred, text) =
            (line["pred"].as_str().unwrap(), whole[sample]["pred"].as_str().unwrap());
        assert!(text.starts_with(pred), "{sample}: {pred:?} does not begin {text:?}");
        if others["finish"] == "decided" {
            assert!(others["generated_tokens"].as_u64().unwrap() < 32);
            early += 1;
        } else {
            assert_eq!(pred, text);
        }
    }
    assert!(early > 0 && early <= known, "{early} of {known} ended early");
    assert_eq!(score(&place("decided")), score(&place("whole")));
    assert!(score(&place("whole")).contains("Score,50.0"), "{}", score(&place("whole")));
}
