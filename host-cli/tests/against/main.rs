//! `longseq report --against paper` through the binary, on small runs made here.

#[path = "../common/runs.rs"]
mod runs;

mod depths;
mod systems;

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use runs::{Run, TASKS};

/// A run of the paper's protocol.
fn run(parent: &TempDir, name: &str, family: &str, tasks: &[&str], lengths: &[usize]) -> Run {
    Run::new(parent, name, tasks, lengths)
        .model("checkpoints/mamba2-2.7b")
        .set("samples", json!(250))
        .set("seeding", json!("run"))
        .set("precision", json!("bf16"))
        .set("corpora", json!([]))
        .set("checkpoint", json!({ "family": family }))
}

fn against(run: &Run, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.arg("report").arg(&run.0).args(["--against", "paper"]).args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json_of(run: &Run, more: &[&str]) -> Value {
    let output = against(run, &[&["--format", "json"], more].concat());
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    report["runs"][0]["against_paper"].clone()
}

fn has_lines(printed: &str, lines: &[&str]) {
    for line in lines {
        assert!(printed.lines().any(|found| found == *line), "{line}\n{printed}");
    }
}

/// Four tasks at 1,024 tokens: inside of the interval, outside, none at all, some failed.
fn four(parent: &TempDir) -> Run {
    let tasks = ["niah_single_1", "niah_single_2", "niah_single_3", "vt"];
    run(parent, "some", "Mamba2", &tasks, &[1024, 3000])
        .answers(1024, "niah_single_1", 250, 160, "7654321")
        .answers(1024, "niah_single_2", 250, 175, "7654321")
        .answers(1024, "vt", 200, 140, "7654321")
        .failures(&[(1024, "vt", 249)])
}

#[test]
fn a_figure_inside_and_one_outside_of_our_interval() {
    let parent = TempDir::new().unwrap();
    let output = against(&four(&parent), &[]);
    assert_eq!(output.status.code(), Some(1), "failed samples: {}", text(&output.stderr));
    // Table 7 of the paper has 66.8 for Mamba2 at 1K, table 8 has 62.4, table 9 52.0, table 15
    // 69.12. The intervals were computed apart, from the formula in docs/scoring.md.
    let expected = "
some against Mamba2 in Huang (2025), tables 7 to 19, tasks at 1024 tokens: score in %
task           ours                                  paper  difference
niah_single_1  64.00 [57.9, 69.7]                    66.80  -2.80
niah_single_2  70.00 [64.1, 75.3]                    62.40  +7.60 !
niah_single_3  – 0/250                               52.00  –
vt             70.00 [63.3, 75.9] 200/250, 1 failed  69.12  +0.88
";
    let printed = text(&output.stdout);
    assert!(printed.contains(expected), "{printed}");
    has_lines(
        &printed,
        &[
            "some: published figures: Mamba2, state-spaces/mamba2-2.7b (by the checkpoint's family)",
            "some: ! the published figure lies outside of our 95 % interval: 1 of 3 (with 250 \
             samples on both sides about one in six would if nothing but the draw of samples \
             differed)",
        ],
    );
    assert!(!printed.contains("other than in the paper"), "{printed}");
    assert!(!printed.contains("table 1,"), "not all 13 tasks are there: {printed}");
    assert!(!printed.contains("3000 tokens: score"), "no table has that length: {printed}");
}

#[test]
fn every_form_holds_the_comparison() {
    let parent = TempDir::new().unwrap();
    let run = four(&parent);
    let out = parent.path().join("out");
    let output = against(&run, &["--out", out.to_str().unwrap(), "--format", "csv"]);
    let csv = "run,system,table,length,task,depth,basis,complete,score,low,high,published,\
               difference,outside\n\
               some,Mamba2,7,1024,niah_single_1,,printed,true,64.00,57.8795,69.6968,66.80,-2.80,\
               false\n\
               some,Mamba2,8,1024,niah_single_2,,printed,true,70.00,64.0518,75.3428,62.40,7.60,\
               true\n\
               some,Mamba2,9,1024,niah_single_3,,printed,false,,,,52.00,,\n\
               some,Mamba2,15,1024,vt,,printed,false,70.00,63.3209,75.9253,69.12,0.88,false\n";
    assert_eq!(text(&output.stdout), csv);
    assert_eq!(fs::read_to_string(out.join("against.csv")).unwrap(), csv);
    let results = fs::read_to_string(out.join("results.csv")).unwrap();
    assert!(results.starts_with("run,length,task,format,depth,planned,n,failed"), "{results}");
    let markdown = fs::read_to_string(out.join("report.md")).unwrap();
    has_lines(&markdown, &["| niah_single_2 | 70.00 [64.1, 75.3] | 62.40 | +7.60 ! |"]);
    let written: Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    let json = json_of(&run, &[]);
    assert_eq!(written["runs"][0]["against_paper"], json);
    assert_eq!((&json["system"], &json["outside"]), (&json!("Mamba2"), &json!(1)));
    assert_eq!((&json["compared"], json["tables"].as_array().unwrap().len()), (&json!(3), 1));
    let figure = &json["tables"][0]["figures"][1];
    let interval = figure["interval_95"].as_array().unwrap();
    assert!((interval[0].as_f64().unwrap() - 64.0518).abs() < 1e-4, "{interval:?}");
    for (key, value) in [
        ("table", json!(8)),
        ("length", json!(1024)),
        ("task", json!("niah_single_2")),
        ("depth", Value::Null),
        ("basis", json!("printed")),
        ("complete", json!(true)),
        ("score", json!(70.0)),
        ("published", json!(62.4)),
        ("difference", json!(7.6)),
        ("outside", json!(true)),
    ] {
        assert_eq!(figure[key], value, "{key}");
    }
    let without = Command::new(env!("CARGO_BIN_EXE_longseq"))
        .arg("report")
        .arg(&run.0)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert!(!text(&without.stdout).contains("against_paper"));
}

/// Right answers of 250 that give a published figure, a multiple of 0.4 %.
fn right(percent: f64) -> usize {
    (percent * 2.5).round() as usize
}

#[test]
fn table_1_needs_all_13_tasks() {
    let parent = TempDir::new().unwrap();
    let mut run = run(&parent, "all", "Mamba2", &TASKS, &[1024, 2048]);
    for task in TASKS {
        run = run.answers(1024, task, 250, right(38.4), "7654321");
        if task != "cwe" {
            run = run.answers(2048, task, 250, 0, "7654321");
        }
    }
    let printed = text(&against(&run, &[]).stdout);
    has_lines(
        &printed,
        &[
            "length  ours                paper  difference",
            "1024    38.40 [36.8, 40.1]  38.52  -0.12",
            // A mean over 12 tasks is not table 1's.
            "2048    –                   32.91  –",
            "Mamba2 was trained at 2048 tokens",
        ],
    );
    assert!(!printed.lines().any(|line| line.starts_with("average")), "two of five lengths");
}

#[test]
fn figures_that_cannot_be_read_are_said() {
    let parent = TempDir::new().unwrap();
    let run = run(&parent, "it", "LLaMA", &["vt"], &[1024])
        .model("x/Sheared-LLaMA-2.7B-ShareGPT")
        .set("template", json!({ "name": "sheared_llama-chat" }))
        .answers(1024, "vt", 250, 100, "7654321");
    let printed = text(&against(&run, &[]).stdout);
    has_lines(
        &printed,
        &[
            "vt    40.00 [34.1, 46.2]  –      –",
            "– under paper: not readable in the copy that the figures were taken from",
        ],
    );
}

#[test]
fn what_was_done_otherwise_is_said() {
    let parent = TempDir::new().unwrap();
    let run = run(&parent, "other", "RWKV-6", &["vt"], &[1024])
        .set("profile", json!("ruler"))
        .set("samples", json!(20))
        .set("seed", json!(7))
        .set("fit", json!("shrink"))
        .set("precision", json!("f32"))
        .model("x/small")
        .answers(1024, "vt", 20, 10, "7654321");
    let own = longseq::corpora::Corpora::default();
    let sha256 = own.words().unwrap().source().sha256.clone();
    let run = run.set("corpora", json!([{ "name": "words", "sha256": sha256 }]));
    let printed = text(&against(&run, &[]).stdout);
    has_lines(
        &printed,
        &[
            "other: other than in the paper (whose is in brackets): model small \
             (rwkv-6-world-3b-v2.1), profile ruler (huang2025), template base (RWKV), samples 20 \
             (250), seed 7 (42), fit shrink (exact), precision f32 (bf16)",
            "other: words: longseq's own texts, not the ones that RULER's figures are for",
        ],
    );
}

#[test]
fn a_run_without_published_cells_says_so() {
    let parent = TempDir::new().unwrap();
    let run = run(&parent, "far", "Mamba2", &["vt"], &[3000]).answers(3000, "vt", 2, 1, "7654321");
    let printed = text(&against(&run, &[]).stdout);
    has_lines(&printed, &["far: no cell of this run has a published figure"]);
    assert!(!printed.contains("against Mamba2"), "{printed}");
}
