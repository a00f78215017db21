//! `longseq report --against paper` through the binary, on small runs made here.

use std::{
    fmt::Write,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const TASKS: [&str; 13] = [
    "niah_single_1",
    "niah_single_2",
    "niah_single_3",
    "niah_multikey_1",
    "niah_multikey_2",
    "niah_multikey_3",
    "niah_multivalue",
    "niah_multiquery",
    "vt",
    "cwe",
    "fwe",
    "qa_1",
    "qa_2",
];

/// A run's folder in the making: the paper's protocol.
struct Run(PathBuf);

impl Run {
    fn new(parent: &TempDir, name: &str, family: &str, tasks: &[&str], lengths: &[usize]) -> Self {
        let folder = parent.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        let plan = json!({
            "plan_sha256": "0123456789abcdef",
            "plan": {
                "profile": "huang2025", "tasks": tasks, "lengths": lengths, "samples": 250,
                "seed": 42, "seeding": "run", "fit": "exact", "remove_newline_tab": false,
                "template": { "name": "base" }, "corpora": [], "precision": "bf16",
                "checkpoint": { "family": family },
            },
            "machines": [{
                "cpu": "", "threads": 2, "batch": 1, "shared_prefixes": true,
                "model": "checkpoints/mamba2-2.7b", "tokenizer": "t", "corpora": {},
            }],
        });
        fs::write(folder.join("plan.json"), plan.to_string()).unwrap();
        Self(folder)
    }

    /// Sets a value of `plan.json`, e.g. `/plan/seed`.
    fn set(self, pointer: &str, value: Value) -> Self {
        let path = self.0.join("plan.json");
        let mut plan: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        *plan.pointer_mut(pointer).unwrap() = value;
        fs::write(path, plan.to_string()).unwrap();
        self
    }

    /// Predictions of a cell, so many of which hold the one reference.
    fn cell(self, length: usize, task: &str, samples: usize, right: usize) -> Self {
        self.asked(length, task, samples, right, "7654321")
    }

    fn asked(self, length: usize, task: &str, samples: usize, right: usize, what: &str) -> Self {
        let folder = self.0.join("predictions").join(length.to_string());
        fs::create_dir_all(&folder).unwrap();
        let mut text = String::new();
        for sample in 0..samples {
            let pred = if sample < right { what } else { "none" };
            let line = json!({
                "index": 0, "pred": pred, "input": "…", "outputs": [what],
                "others": { "sample": sample, "finish": "length" }, "truncation": 0,
                "length": length,
            });
            writeln!(text, "{line}").unwrap();
        }
        fs::write(folder.join(format!("{task}.jsonl")), text).unwrap();
        self
    }

    fn failure(self, length: usize, task: &str, sample: usize) -> Self {
        let line = json!({ "length": length, "task": task, "sample": sample, "error": "boom" });
        fs::write(self.0.join("failures.jsonl"), format!("{line}\n")).unwrap();
        self
    }
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
    Run::new(parent, "some", "Mamba2", &tasks, &[1024, 3000])
        .cell(1024, "niah_single_1", 250, 160)
        .cell(1024, "niah_single_2", 250, 175)
        .cell(1024, "vt", 200, 140)
        .failure(1024, "vt", 249)
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
    let mut run = Run::new(&parent, "all", "Mamba2", &TASKS, &[1024, 2048]);
    for task in TASKS {
        run = run.cell(1024, task, 250, right(38.4));
        if task != "cwe" {
            run = run.cell(2048, task, 250, 0);
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
        ],
    );
    assert!(!printed.lines().any(|line| line.starts_with("average")), "two of five lengths");
}

#[test]
fn figures_that_cannot_be_read_are_said() {
    let parent = TempDir::new().unwrap();
    let run = Run::new(&parent, "it", "LLaMA", &["vt"], &[1024])
        .set("/machines/0/model", json!("x/Sheared-LLaMA-2.7B-ShareGPT"))
        .set("/plan/template/name", json!("sheared_llama-chat"))
        .cell(1024, "vt", 250, 100);
    let printed = text(&against(&run, &[]).stdout);
    has_lines(
        &printed,
        &["vt    40.00 [34.1, 46.2]  –      –", "–: not readable in the copy of the paper used"],
    );
}

#[test]
fn systems_of_one_family_are_told_apart_by_the_folder() {
    let parent = TempDir::new().unwrap();
    for (family, folder, system) in [
        ("Mamba2", "mamba2-2.7b", "Mamba2"),
        ("Mamba2Attention", "anything", "M2A"),
        ("Transformer++", "anything", "TPP"),
        ("RWKV-6", "anything", "RWKV"),
        ("LLaMA", "Sheared-LLaMA-2.7B", "SL"),
        ("LLaMA", "Sheared-LLaMA-2.7B-ShareGPT", "SL-IT"),
        ("LLaMA", "my-sharegpt-llama", "SL-IT"),
        ("RecurrentGemma", "recurrentgemma-2b", "RG"),
        ("RecurrentGemma", "recurrentgemma-2b-it", "RG-IT"),
        ("RecurrentGemma", "recurrentgemma-2b-it-copy", "RG"),
    ] {
        let run = Run::new(&parent, "r", family, &["vt"], &[1024])
            .set("/machines/0/model", json!(format!("x/{folder}")));
        let json = json_of(&run, &[]);
        assert_eq!(json["system"], system, "{folder}");
        let note = json["notes"][0].as_str().unwrap();
        let ambiguous = matches!(family, "LLaMA" | "RecurrentGemma");
        assert_eq!(note.contains("--system overrides"), ambiguous, "{note}");
    }
    let run = Run::new(&parent, "r", "RecurrentGemma", &["vt"], &[1024]);
    assert_eq!(json_of(&run, &["--system", "RG-IT"])["system"], "RG-IT");
}

#[test]
fn impossible_systems_are_refused() {
    let parent = TempDir::new().unwrap();
    let known = Run::new(&parent, "known", "Mamba2", &["vt"], &[1024]);
    let unknown = Run::new(&parent, "unknown", "Longformer", &["vt"], &[1024]);
    for (run, more, what, help) in [
        (&known, &["--system", "mamba"][..], "no system \"mamba\"", "Mamba2, M2A, TPP"),
        (&known, &["--system", "M2A"], "M2A is a Mamba2Attention", "leave out --system"),
        (&unknown, &[], "names no family", "--system"),
    ] {
        let output = against(run, more);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(what), "{message}");
        assert!(message.split("\nhelp: ").nth(1).is_some_and(|said| said.contains(help)));
        assert!(output.stdout.is_empty());
    }
}

/// Every depth of a format at one length, with so many right at each.
fn deep(mut run: Run, format: &str, length: usize, rights: [usize; 7], reference: &str) -> Run {
    for (depth, right) in [0, 20, 40, 50, 60, 80, 100].into_iter().zip(rights) {
        run = run.asked(length, &format!("niah_{format}_{depth}"), 250, right, reference);
    }
    run
}

fn depth_tasks() -> Vec<String> {
    ["repeat_numbers", "essay_numbers", "essay_uuids"]
        .iter()
        .flat_map(|format| {
            [0, 20, 40, 50, 60, 80, 100].map(|depth| format!("niah_{format}_{depth}"))
        })
        .collect()
}

#[test]
fn depth_tables_carry_the_papers_slips() {
    let parent = TempDir::new().unwrap();
    let tasks = depth_tasks();
    let tasks: Vec<&str> = tasks.iter().map(String::as_str).collect();
    let mut run = Run::new(&parent, "deep", "Mamba2Attention", &tasks, &[1024, 2048])
        .set("/machines/0/model", json!("mamba2attn-2.7b"))
        .cell(1024, "niah_essay_uuids_50", 250, right(26.8));
    for (format, reference) in
        [("repeat_numbers", "1"), ("essay_numbers", "2"), ("essay_uuids", "7654321")]
    {
        run = deep(run, format, 2048, [100, 90, 75, 75, 75, 90, 110], reference);
    }
    let printed = text(&against(&run, &[]).stdout);
    has_lines(
        &printed,
        &[
            "depth                ours                paper  difference",
            "0 %                  40.00 [36.6, 43.6]  40.27  -0.27",
            "20 %                 36.00 [32.7, 39.5]  36.53  -0.53",
            // 37.2 is printed, (39.6 + 30.8 + 63.2) / 3 follows from table 4.
            "100 %                44.00 [40.5, 47.6]  37.20  +6.80 !",
            "100 %, recomputed    44.00 [40.5, 47.6]  44.53  -0.53",
            "average              35.14 [33.9, 36.5]  35.26  -0.12",
            "average, recomputed  35.14 [33.9, 36.5]  34.00  +1.14",
            "100 %: the paper prints 37.20, the mean of the figures of table 4 is 44.53",
            "average: the paper prints 35.26, the mean of its own row is 34.00",
            "tables 2 and 3 are at 2048 and 4096 tokens: table 4 shows it",
            // Table 4.
            "niah_essay_numbers_0     40.00 [34.1, 46.2]  41.60  -1.60",
            "niah_repeat_numbers_100  44.00 [38.0, 50.2]  63.20  -19.20 !",
            "niah_essay_uuids_50      26.80 [21.7, 32.6]  26.80  +0.00",
        ],
    );
    assert!(!printed.contains("table 3,"), "nothing at 4096 tokens: {printed}");
    let json = json_of(&run, &[]);
    let (tables, figures) = (&json["tables"], &json["tables"][0]["figures"]);
    assert_eq!(tables[0]["figures"].as_array().unwrap().len(), 7 + 1 + 2);
    let slip = figures.as_array().unwrap().iter().find(|of| of["basis"] == "recomputed").unwrap();
    assert_eq!((&slip["depth"], &slip["table"]), (&json!(100), &json!(2)));
    let notes = json["notes"].to_string();
    assert!(notes.contains("as published, that is with 7-digit numbers"), "{notes}");
    assert!(notes.contains("how the published answers were decoded is not known"), "{notes}");
}

#[test]
fn uuids_that_were_corrected_are_said() {
    let parent = TempDir::new().unwrap();
    let run = Run::new(&parent, "deep", "Mamba2", &["niah_essay_uuids_0"], &[1024]).asked(
        1024,
        "niah_essay_uuids_0",
        250,
        right(78.0),
        "c0ffee-01",
    );
    let json = json_of(&run, &[]);
    assert_eq!(json["tables"][0]["figures"][0]["published"], 78.0);
    assert!(json["notes"].to_string().contains("corrected, with UUIDs"), "{json}");
}

#[test]
fn what_was_done_otherwise_is_said() {
    let parent = TempDir::new().unwrap();
    let run = Run::new(&parent, "other", "RWKV-6", &["vt"], &[1024])
        .set("/plan/profile", json!("ruler"))
        .set("/plan/samples", json!(20))
        .set("/plan/seed", json!(7))
        .set("/plan/fit", json!("shrink"))
        .set("/plan/precision", json!("f32"))
        .set("/machines/0/model", json!("x/small"))
        .cell(1024, "vt", 20, 10);
    let own = longseq::corpora::Corpora::default();
    let sha256 = own.words().unwrap().source().sha256.clone();
    let run = run.set("/plan/corpora", json!([{ "name": "words", "sha256": sha256 }]));
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
    let run = Run::new(&parent, "far", "Mamba2", &["vt"], &[3000]).cell(3000, "vt", 2, 1);
    let printed = text(&against(&run, &[]).stdout);
    has_lines(&printed, &["far: no cell of this run has a published figure"]);
    assert!(!printed.contains("against Mamba2"), "{printed}");
}
