//! `longseq show`.

use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{longseq, made_up, runs::Run, text};

fn show(run: &std::path::Path, more: &[&str]) -> Output {
    longseq("show").arg(run).args(more).output().unwrap()
}

#[test]
fn a_sample_is_shown_with_needles_and_references() {
    let parent = TempDir::new().unwrap();
    let run = &made_up::runs(parent.path())[0];
    let asked = ["--task", "niah_multivalue", "--length", "1024", "--index", "3"];
    let output = show(run, &asked);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let json: Value =
        serde_json::from_slice(&show(run, &[&asked[..], &["--json", "--whole"]].concat()).stdout)
            .unwrap();
    let sample = &json["sample"];
    let percent = sample["percent"].as_f64().unwrap();
    assert!(printed.starts_with(&format!(
        "niah_multivalue at 1024 tokens, sample 3: score {percent:.2} %\n\nprompt, 976 tokens\n"
    )));
    let references = sample["references"].as_array().unwrap();
    assert_eq!(references.len(), 3);
    for (place, reference) in references.iter().enumerate() {
        let text = reference["text"].as_str().unwrap();
        let found = reference["found"] == json!(true);
        assert_eq!(found, sample["output"].as_str().unwrap().contains(text));
        let token = (place + 1) * 1024 / 5;
        assert_eq!(reference["place"]["token"], json!(token));
        let depth = token as f64 / 976.0 * 100.0;
        let found = if found { "found " } else { "missed" };
        let line = format!("{found}  {text}  at token {token}, depth {depth:.0} %");
        assert!(printed.lines().any(|of| of == line), "{line}\n{printed}");
        assert!(sample["head"].as_str().unwrap().contains(text), "the whole prompt");
    }
    assert!(printed.contains("characters; --whole shows them …]\n"), "{printed}");
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let parent = TempDir::new().unwrap();
    let run = Run::new(&parent, "r", &["vt", "qa_1"], &[512, 1024])
        .cell(512, "vt", &[0, 1], &["A1"], &[1, 0])
        .failures(&[(512, "vt", 2)]);
    for (asked, code, said) in [
        (&["--task", "cwe", "--index", "0"][..], 2, "help: its tasks are: qa_1, vt"),
        (&["--task", "vt", "--index", "0"], 2, "help: name one of them with --length"),
        (
            &["--task", "vt", "--index", "0", "--length", "99"],
            2,
            "help: its lengths are: 512, 1024",
        ),
        (
            &["--task", "vt", "--index", "3", "--length", "512"],
            2,
            "help: the same `longseq run` goes on",
        ),
        (
            &["--task", "vt", "--index", "9", "--length", "512"],
            2,
            "help: samples are numbered from 0 to 3",
        ),
        (&["--task", "vt", "--index", "2", "--length", "512"], 1, "sample 2 failed: boom"),
        (&["--task", "vt", "--index", "1", "--length", "512"], 0, "missed  A1"),
    ] {
        let output = show(&run.0, asked);
        let printed = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{asked:?}: {printed}");
        assert!(printed.contains(said), "{asked:?}: {printed}");
    }
}
