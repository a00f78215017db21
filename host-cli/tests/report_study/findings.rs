//! The findings, on runs whose answers are known.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{longseq, made_up, runs::Run, text};

/// What `report --format json` says across the models of some runs.
fn across(runs: &[&Run], more: &[&str]) -> Value {
    let output = longseq("report")
        .args(runs.iter().map(|run| &run.0))
        .args(["--format", "json"])
        .args(more)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    report["across_models"].clone()
}

fn finding(across: &Value, id: &str) -> Value {
    let findings = across["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["id"] == id).unwrap().clone()
}

/// A run of a model that was trained at 512 tokens.
fn model(parent: &TempDir, family: &str, tasks: &[&str], lengths: &[usize]) -> Run {
    Run::new(parent, family, tasks, lengths)
        .set("checkpoint", json!({ "family": family, "sha256": family }))
        .card(json!({ "name": family, "training_length": 512 }))
}

/// One task with so many right answers of `n` at the training length and at twice it.
fn pair(parent: &TempDir, family: &str, n: usize, right: [usize; 2]) -> Run {
    model(parent, family, &["niah_single_1"], &[512, 1024])
        .set("samples", json!(n))
        .answers(512, "niah_single_1", n, right[0], "7654321")
        .answers(1024, "niah_single_1", n, right[1], "7654321")
}

fn near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn a_drop_is_supported_refused_or_undecided() {
    for (n, right, verdict) in [
        (100, [90, 10], "supported"),
        (1000, [900, 899], "not supported"),
        (20, [18, 17], "undecided at this n"),
        // Nothing was found, so nothing can be lost.
        (100, [0, 0], "undecided at this n"),
    ] {
        let parent = TempDir::new().unwrap();
        let found = finding(&across(&[&pair(&parent, "Mamba2", n, right)], &[]), "drop");
        assert_eq!(found["verdict"], verdict, "{right:?} of {n}: {found}");
        let evidence = &found["evidence"][0];
        near(&evidence["estimate"], (right[0] as f64 - right[1] as f64) / n as f64 * 100.0);
        assert_eq!(evidence["n"], json!(2 * n));
    }
}

#[test]
fn the_interval_of_a_drop_is_newcombes() {
    // Newcombe 1998b, table II, example (a): 56/70 less 48/80, method 10.
    let parent = TempDir::new().unwrap();
    let run = model(&parent, "Mamba2", &["niah_single_1"], &[512, 1024])
        .answers(512, "niah_single_1", 70, 56, "7654321")
        .answers(1024, "niah_single_1", 80, 48, "7654321");
    let found = finding(&across(&[&run], &[]), "drop");
    let interval = found["evidence"][0]["interval_95"].as_array().unwrap();
    for (end, published) in interval.iter().zip([5.24, 33.39]) {
        assert!((end.as_f64().unwrap() - published).abs() < 0.006, "{interval:?}");
    }
}

#[test]
fn attention_that_loses_all_is_told_from_recurrences_that_do_not() {
    let parent = TempDir::new().unwrap();
    let attention = pair(&parent, "Transformer++", 100, [95, 0]);
    let recurrence = pair(&parent, "Mamba2", 100, [95, 50]);
    let found = finding(&across(&[&attention, &recurrence], &[]), "gentler");
    assert_eq!(found["verdict"], "supported", "{found}");
    near(&found["evidence"][1]["estimate"], 50.0 / 95.0);
    let found = finding(&across(&[&recurrence], &[]), "gentler");
    assert_eq!(found["verdict"], "undecided at this n", "one kind alone: {found}");
}

/// Needles at both ends and in the middle, in one format, at the training length.
fn depths(parent: &TempDir, ends: usize, middle: usize) -> Run {
    let tasks = ["niah_single_2_depth0", "niah_single_2_depth50", "niah_single_2_depth100"];
    model(parent, "Mamba2", &tasks, &[512])
        .set("samples", json!(200))
        .answers(512, tasks[0], 200, ends, "7654321")
        .answers(512, tasks[1], 200, middle, "7654321")
        .answers(512, tasks[2], 200, ends, "7654321")
}

#[test]
fn a_middle_is_lost_or_not() {
    for (ends, middle, verdict) in
        [(180, 90, "supported"), (180, 198, "not supported"), (180, 178, "undecided at this n")]
    {
        let parent = TempDir::new().unwrap();
        let found = finding(&across(&[&depths(&parent, ends, middle)], &[]), "middle");
        assert_eq!(found["verdict"], verdict, "{found}");
        near(&found["evidence"][0]["estimate"], (ends as f64 - middle as f64) / 2.0);
    }
}

#[test]
fn formats_differ_or_not() {
    let tasks = ["niah_single_1", "niah_single_2"];
    for (second, n, verdict) in [
        ([190, 20], 200, "supported"),
        ([950, 800], 1000, "not supported"),
        ([19, 15], 20, "undecided at this n"),
    ] {
        let parent = TempDir::new().unwrap();
        let run = model(&parent, "Mamba2", &tasks, &[512, 1024])
            .set("samples", json!(n))
            .answers(512, tasks[0], n, n * 19 / 20, "7654321")
            .answers(1024, tasks[0], n, n * 4 / 5, "7654321")
            .answers(512, tasks[1], n, second[0], "7654321")
            .answers(1024, tasks[1], n, second[1], "7654321");
        let found = finding(&across(&[&run], &[]), "formats");
        assert_eq!(found["verdict"], verdict, "{found}");
    }
}

#[test]
fn a_hybrid_that_is_better_here_and_worse_there_is_not_consistently_so() {
    let parent = TempDir::new().unwrap();
    let hybrid = pair(&parent, "RecurrentGemma", 100, [90, 10]);
    let recurrence = pair(&parent, "RWKV-6", 100, [60, 50]);
    let said = across(&[&recurrence, &hybrid], &[]);
    let found = finding(&said, "hybrids");
    assert_eq!(found["verdict"], "supported", "{found}");
    // The pair is turned so that the hybrid comes first, the other list keeps the order of the runs.
    near(&found["evidence"][0]["estimate"], 30.0);
    near(&said["comparisons"][0]["difference"], -30.0);
    assert_eq!(said["comparisons"][0]["paired"], json!(true));
    // 30 samples differ, all one way: of 9,999 random signs none is as far, and there are two tests.
    near(&said["comparisons"][0]["p_holm"], 2e-4);
    let worse = pair(&parent, "Mamba2", 100, [60, 1]);
    let found = finding(&across(&[&worse, &hybrid], &[]), "hybrids");
    assert_eq!(found["verdict"], "not supported", "better at both lengths: {found}");
}

#[test]
fn other_prompts_are_not_paired() {
    let parent = TempDir::new().unwrap();
    let (one, two) = (pair(&parent, "Mamba2", 40, [30, 20]), pair(&parent, "RWKV-6", 40, [20, 20]));
    let file = two.0.join("predictions/512/niah_single_1.jsonl");
    let changed = std::fs::read_to_string(&file).unwrap().replacen('…', "another prompt", 1);
    std::fs::write(&file, changed).unwrap();
    let comparisons = &across(&[&one, &two], &[])["comparisons"];
    assert_eq!(comparisons[0]["paired"], json!(false), "{comparisons}");
    assert_eq!(comparisons[1]["paired"], json!(true), "{comparisons}");
}

#[test]
fn a_training_length_comes_from_the_card_the_paper_or_the_option() {
    let parent = TempDir::new().unwrap();
    let run = |folder: &str| {
        Run::new(&parent, folder, &["vt"], &[512, 1024])
            .model(&format!("x/{folder}"))
            .answers(512, "vt", 20, 20, "A1")
            .answers(1024, "vt", 20, 0, "A1")
    };
    let unknown = run("unknown");
    let found = finding(&across(&[&unknown], &[]), "drop");
    let expected = json!(["unknown: its training length is not known (--training-length says it)"]);
    assert_eq!((&found["missing"], &found["evidence"]), (&expected, &json!([])));
    let found = finding(&across(&[&unknown], &["--training-length", "512"]), "drop");
    assert_eq!(found["verdict"], "supported");
    let published = across(&[&run("mamba2-2.7b")], &["--training-length", "512"]);
    assert_eq!(published["effective_lengths"][0]["training_length"], json!(2048));
    let carded = unknown.card(json!({ "name": "mine", "training_length": 512 }));
    let said = across(&[&carded], &["--training-length", "99"]);
    let effective = &said["effective_lengths"][0];
    let expected = json!({
        "model": "mine", "training_length": 512, "ruler_threshold": 512, "relative": 512,
        "relative_to": 512, "longest": 1024,
    });
    assert_eq!(*effective, expected);
}

#[test]
fn every_form_tells_the_findings_of_a_study() {
    let parent = TempDir::new().unwrap();
    let runs = made_up::runs(parent.path());
    let out = parent.path().join("out");
    let output = longseq("report").args(&runs).arg("--out").arg(&out).output().unwrap();
    let printed = text(&output.stdout);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let results: Value = serde_json::from_str(&read("results.json")).unwrap();
    let findings = results["across_models"]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 5);
    let (markdown, html) = (read("report.md"), read("report.html"));
    for finding in findings {
        let [claim, verdict] = ["claim", "verdict"].map(|key| finding[key].as_str().unwrap());
        assert!(printed.contains(&format!("{claim}: {verdict}\n")), "{printed}");
        assert!(markdown.contains(&format!("### {claim}: {verdict}\n")), "{markdown}");
        assert!(html.contains(claim) && html.contains(&format!("</span> {verdict}</p>")));
        assert!(!finding["evidence"].as_array().unwrap().is_empty(), "{finding}");
    }
    // Two runs of each checkpoint are one model, and all pairs answered the same prompts.
    assert_eq!(results["across_models"]["effective_lengths"].as_array().unwrap().len(), 5);
    let comparisons = results["across_models"]["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 10 * made_up::LENGTHS.len());
    assert!(comparisons.iter().all(|of| of["paired"] == json!(true)));
    // The page shows what is in results.json, and text of models as text.
    for run in results["runs"].as_array().unwrap() {
        for cell in run["cells"].as_array().unwrap().iter().step_by(7) {
            let score = cell["score"].as_f64().unwrap();
            assert!(html.contains(&format!("<td>{score:.2} [")), "{cell}");
        }
    }
    assert!(html.contains("I &lt;b&gt;made&lt;") && !html.contains("I <b>made"));
    assert!(html.contains("made up &lt;failure&gt;"));
}
