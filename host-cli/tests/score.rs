//! `longseq score` through the binary, against what RULER's evaluate.py wrote.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use longseq::score::TaskScore;
use longseq_core::ruler::score::Metric;
use serde_json::{Value, json};
use tempfile::TempDir;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/ruler/eval_example")
}

fn score(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(["score", "--pred-dir"]).arg(folder).args(more).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn same_bytes(ours: &Path, theirs: &Path) {
    let read = |path: &Path| fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(read(ours) == read(theirs), "{} differs", ours.display());
}

/// A line with one reference, `x`.
fn line(pred: &str) -> String {
    format!(r#"{{"index": 7, "pred": "{pred}", "input": "", "outputs": ["x"], "others": {{}}}}"#)
        + "\n"
}

#[test]
fn a_folder_with_chunks_gives_rulers_bytes_and_keeps_its_files() {
    let folder = TempDir::new().unwrap();
    copy(&example().join("pred"), folder.path());
    let output = score(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for file in ["summary.csv", "submission.csv"] {
        same_bytes(&folder.path().join(file), &example().join("run").join(file));
    }
    for file in fs::read_dir(example().join("pred")).unwrap() {
        let file = file.unwrap();
        same_bytes(&folder.path().join(file.file_name()), &file.path());
    }
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("niah_multikey_2") && printed.contains("76.67"), "{printed}");
}

#[test]
fn whole_files_score_as_in_ruler_and_its_errors_are_errors() {
    let fixture = example().join("../scoring.json");
    let vectors: Value = serde_json::from_str(&fs::read_to_string(fixture).unwrap()).unwrap();
    let batch = vectors["batch"].as_array().unwrap();
    assert_eq!(batch.len(), 35);
    for case in batch {
        let lines = case["preds"].as_array().unwrap().iter().zip(case["refs"].as_array().unwrap());
        let lines = lines.map(|(pred, refs)| {
            let line =
                json!({"index": 0, "pred": pred, "input": "", "outputs": refs, "others": {}});
            format!("{line}\n")
        });
        let folder = folder(&[("vt.jsonl", &lines.collect::<String>())]);
        let file = folder.path().join("vt.jsonl");
        for (metric, expected) in [
            (Metric::StringMatchAll, &case["task_all"]),
            (Metric::StringMatchPart, &case["task_part"]),
        ] {
            let score = TaskScore::read(&[&file], metric).ok();
            let found = score.as_ref().map(TaskScore::percent);
            assert_eq!(found, expected.as_f64(), "{metric:?}: {}", case["note"]);
            if let Some(score) = score {
                let nulls = format!("{}/{}", score.nulls(), score.samples.len());
                assert_eq!(nulls, case["task_nulls"], "{}", case["note"]);
            }
        }
    }
}

#[test]
fn one_task_has_a_summary_of_its_own() {
    let folder = TempDir::new().unwrap();
    copy(&example().join("pred"), folder.path());
    let output = score(folder.path(), &["--task", "niah_single_1", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for file in ["summary-niah_single_1.csv", "submission.csv"] {
        same_bytes(&folder.path().join(file), &example().join("run_single").join(file));
    }
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed[0]["tasks"][0]["score"], 50.0);
    assert_eq!(printed[0]["tasks"][0]["nulls"], 5);
}

#[test]
fn tasks_come_in_rulers_order_and_depth_tasks_after_them() {
    let files = [
        "niah_essay_numbers_100",
        "niah_single_2_depth50",
        "niah_essay_numbers_20",
        "qa_1",
        "cwe",
        "niah_essay_numbers_random",
        "niah_repeat_numbers_0",
        "vt",
    ]
    .map(|task| (format!("{task}.jsonl"), line("x")));
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let output = score(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let summary = fs::read_to_string(folder.path().join("summary.csv")).unwrap();
    assert_eq!(
        summary.lines().nth(1).unwrap(),
        "Tasks,vt,cwe,qa_1,niah_repeat_numbers_0,niah_essay_numbers_random,\
         niah_essay_numbers_20,niah_essay_numbers_100,niah_single_2_depth50"
    );
}

#[test]
fn chunks_count_in_the_order_of_their_names_and_replace_the_whole_file() {
    let (a, b, c) = (line("a"), line("b"), line("c"));
    let folder = folder(&[("vt-2.jsonl", &a), ("vt-10.jsonl", &b), ("vt.jsonl", &c)]);
    let output = score(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("vt.jsonl: left out"), "{}", stderr(&output));
    let submission = fs::read_to_string(folder.path().join("submission.csv")).unwrap();
    assert_eq!(submission, "Task,ID,Prediction\nvt,7,b\nvt,7,a\n");
}

#[test]
fn every_length_of_a_run_is_scored() {
    let (hit, miss) = (line("x"), line("y"));
    let run = folder(&[
        ("predictions/1024/vt.jsonl", &hit),
        ("predictions/512/vt.jsonl", &miss),
        ("failures.jsonl", "{}\n"),
    ]);
    let output = score(run.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed[0]["tasks"][0]["score"], 0.0);
    assert_eq!(printed[1]["tasks"][0]["score"], 100.0);
    assert!(run.path().join("predictions/1024/summary-vt.csv").is_file());
}

#[test]
fn a_torn_last_line_is_left_out_and_said() {
    let torn = line("x") + &line("x")[..20];
    let folder = folder(&[("vt.jsonl", &torn)]);
    let output = score(folder.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("half-written"), "{}", stderr(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed[0]["tasks"][0]["samples"], 1);
}

#[test]
fn bad_input_ends_with_what_where_and_a_remedy() {
    let empty = line("x").replace(r#"["x"]"#, "[]");
    let cases = [
        (vec![], "no predictions here"),
        (vec![("notes.jsonl", line("x"))], "no predictions of these tasks"),
        (vec![("vt.jsonl", "{\"pred\": 1}\n".to_owned())], "vt.jsonl, line 1: not a prediction"),
        (vec![("vt.jsonl", line("x") + "\n{]\n")], "vt.jsonl, line 3: not a prediction"),
        (vec![("vt.jsonl", empty)], "`outputs` is empty"),
        (vec![("vt.jsonl", line("x") + &line("x").replace(r#""x"]"#, "null]"))], "holds null"),
    ];
    for (files, what) in cases {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let folder = folder(&files);
        let output = score(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{what}");
        let message = stderr(&output);
        assert!(message.contains("error: ") && message.contains(what), "{what}: {message}");
        assert!(message.contains("\nhelp: "), "{what}: {message}");
        assert!(!folder.path().join("submission.csv").exists());
    }
    let output = score(Path::new("no/such/folder"), &[]);
    assert_eq!(output.status.code(), Some(2));
    let output = score(&example().join("pred"), &["--task", "niah_singel_1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("unknown task `niah_singel_1`"));
}
