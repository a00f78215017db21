//! `longseq report` through the binary, on small runs made here.

#[path = "common/runs.rs"]
mod runs;

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use runs::Run;

fn report(runs: &[&Run], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.arg("report").args(runs.iter().map(|run| &run.0)).args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json_of(run: &Run) -> Value {
    serde_json::from_slice(&report(&[run], &["--format", "json"]).stdout).unwrap()
}

/// Four samples of vt (two of three references in all, none in all) and of qa.
fn complete(parent: &TempDir) -> Run {
    Run::new(parent, "first", &["vt", "qa_1"], &[1024])
        .cell(1024, "vt", &[2, 0, 3, 1], &["A1", "B2", "C3"], &[3, 2, 0, 3])
        .cell(1024, "qa_1", &[0, 1, 2, 3], &["yes", "no"], &[1, 0, 2, 0])
}

#[test]
fn a_complete_run_is_a_table_with_intervals_and_mean() {
    let parent = TempDir::new().unwrap();
    let output = report(&[&complete(&parent)], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // vt: (1 + 2/3 + 0 + 1) / 4; s² = p(1−p) = 2/9, so that 4 samples weigh like 4 outcomes.
    // qa_1: 2 of 4. The intervals were computed apart, from the formulas in docs/scoring.md.
    let expected = "\
first: model m · profile huang2025 · seed 42 · samples 4 · template base · longseq 9.9.9 · plan 0123456789ab

first: score in % by task and length in tokens
task             1024
vt               66.67 [24.5, 92.5]
qa_1             50.00 [15.0, 85.0]
mean of 2 tasks  58.33 [30.9, 80.1]

[low, high]: 95 % interval of the mean score
first: n = 4 samples in every cell
first: 3 of 8 answers were ended when no further text could change their score
";
    assert_eq!(text(&output.stdout), expected);
}

#[test]
fn the_order_of_completion_changes_nothing() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let tasks = ["cwe"];
    let refs = ["a1", "b2", "c3", "d4", "e5", "f6", "g7"];
    let one =
        Run::new(&one, "r", &tasks, &[64]).cell(64, "cwe", &[0, 1, 2, 3], &refs, &[1, 3, 6, 2]);
    let two =
        Run::new(&two, "r", &tasks, &[64]).cell(64, "cwe", &[3, 1, 0, 2], &refs, &[2, 3, 1, 6]);
    assert_eq!(json_of(&one)["runs"][0]["cells"], json_of(&two)["runs"][0]["cells"]);
}

#[test]
fn what_is_missing_and_what_failed_is_said_and_never_a_zero() {
    let parent = TempDir::new().unwrap();
    let run = Run::new(&parent, "part", &["vt", "cwe", "fwe"], &[1024])
        .cell(1024, "vt", &[0, 1], &["A1"], &[1, 1])
        // Sample 1 failed first and was computed later.
        .failures(&[(1024, "vt", 1), (1024, "vt", 2), (1024, "vt", 2), (1024, "cwe", 0)]);
    let output = report(&[&run], &[]);
    assert_eq!(output.status.code(), Some(1), "failed samples end with 1");
    let printed = text(&output.stdout);
    for line in [
        "vt               100.00 [34.2, 100.0] 2/4, 1 failed",
        "cwe              – 0/4, 1 failed",
        "fwe              – 0/4",
        "mean of 3 tasks  100.00 [34.2, 100.0] *",
        "part: n = 0 to 2 samples in a cell",
        "part: 2 of 12 samples failed (see failures.jsonl); no score counts them",
        "part: 8 of 12 samples are still missing; the same `longseq run` goes on",
        "part: * a mean in which cells or samples are missing",
    ] {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }
    let cells = &json_of(&run)["runs"][0]["cells"];
    assert_eq!(cells[1]["task"], "cwe");
    assert_eq!((&cells[1]["score"], &cells[1]["n"]), (&Value::Null, &json!(0)));
}

#[test]
fn a_torn_last_line_is_a_missing_sample() {
    let parent = TempDir::new().unwrap();
    let run = complete(&parent);
    let file = run.0.join("predictions/1024/vt.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    assert_eq!(json_of(&run)["runs"][0]["cells"][0]["n"], 3);
}

#[test]
fn runs_stand_side_by_side() {
    let parent = TempDir::new().unwrap();
    let other = Run::new(&parent, "second", &["vt"], &[1024, 2048])
        .cell(1024, "vt", &[0, 1, 2, 3], &["A1"], &[1, 1, 1, 1])
        .cell(2048, "vt", &[0, 1, 2, 3], &["A1"], &[0, 0, 0, 0]);
    let printed = text(&report(&[&complete(&parent), &other], &[]).stdout);
    for line in [
        "run     1024                  2048              average",
        "first   58.33 [30.9, 80.1]    –                 58.33 [30.9, 80.1] *",
        "second  100.00 [51.0, 100.0]  0.00 [0.0, 49.0]  50.00 [25.5, 74.5]",
    ] {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }
}

#[test]
fn depth_tasks_have_tables_of_their_own_and_say_which_uuids() {
    let depth = |parent: &TempDir, reference: &str| {
        let tasks = ["niah_repeat_numbers_0", "niah_essay_uuids_0", "niah_essay_uuids_random"];
        Run::new(parent, "deep", &tasks, &[512])
            .cell(512, "niah_repeat_numbers_0", &[0, 1, 2, 3], &["12"], &[1, 1, 1, 0])
            .cell(512, "niah_essay_uuids_0", &[0, 1, 2, 3], &[reference], &[1, 0, 0, 0])
            .cell(512, "niah_essay_uuids_random", &[0, 1, 2, 3], &["ab-cd"], &[0, 0, 0, 0])
    };
    let parent = TempDir::new().unwrap();
    let printed = text(&report(&[&depth(&parent, "7654321")], &[]).stdout);
    for line in [
        "depth    niah_repeat_numbers  niah_essay_uuids   mean",
        "random   –                    0.00 [0.0, 49.0]   0.00 [0.0, 49.0]",
        "0 %      75.00 [30.1, 95.4]   25.00 [4.6, 69.9]  50.00 [25.3, 74.7]",
        "average  75.00 [30.1, 95.4]   25.00 [4.6, 69.9]  50.00 [25.3, 74.7]",
    ] {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }
    assert!(printed.contains("as published, that is with 7-digit numbers"), "{printed}");
    assert!(!printed.contains("mean of"), "depth tasks are none of the 13: {printed}");
    // Side by side, at the lengths that have depth tasks.
    let other = complete(&parent);
    let deep = depth(&parent, "1");
    let again = Run(parent.path().join("deeper"));
    fs::create_dir(&again.0).unwrap();
    for file in ["plan.json", "predictions"] {
        fs::rename(deep.0.join(file), again.0.join(file)).unwrap();
    }
    let printed = text(&report(&[&depth(&parent, "1"), &again, &other], &[]).stdout);
    for line in
        ["depth    deep                deeper", "0 %      50.00 [25.3, 74.7]  50.00 [25.3, 74.7]"]
    {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }

    let parent = TempDir::new().unwrap();
    let printed = text(&report(&[&depth(&parent, "c0ffee-01")], &[]).stdout);
    assert!(printed.contains("corrected, with UUIDs"), "{printed}");
}

#[test]
fn depths_of_other_needle_tasks_stand_under_their_task() {
    let parent = TempDir::new().unwrap();
    let run = Run::new(&parent, "own", &["niah_single_2_depth0", "niah_single_2_depth100"], &[512])
        .cell(512, "niah_single_2_depth100", &[0, 1, 2, 3], &["1"], &[1, 1, 1, 1]);
    let printed = text(&report(&[&run], &[]).stdout);
    for line in [
        "depth    niah_single_2",
        "0 %      – 0/4",
        "100 %    100.00 [51.0, 100.0]",
        "average  100.00 [51.0, 100.0] *",
    ] {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }
}

#[test]
fn shrunken_haystacks_are_said() {
    let parent = TempDir::new().unwrap();
    let run = complete(&parent).set("fit", json!("shrink"));
    assert!(text(&report(&[&run], &[]).stdout).contains("haystacks are smaller than RULER's"));
}

#[test]
fn what_profile_mini_has_smaller_is_said_with_every_table() {
    let parent = TempDir::new().unwrap();
    let run = complete(&parent);
    assert_eq!(json_of(&run)["profile_mini"], Value::Null);
    assert!(!text(&report(&[&run], &[]).stdout).contains("scaled down"));
    let run = run.set("profile", json!("mini"));
    let printed = text(&report(&[&run], &[]).stdout);
    let markdown = text(&report(&[&run], &["--format", "markdown"]).stdout);
    let note = "profile mini: RULER's tasks scaled down; not comparable with RULER's figures";
    for line in [
        note,
        "niah_multikey_1: keys 4 3",
        "first: profile mini: RULER's tasks scaled down; not comparable with RULER's figures",
    ] {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(printed.lines().any(|found| words(found) == line), "{line}\n{printed}");
    }
    for line in [&format!("## {note}"), "| niah_multikey_1: keys | 4 | 3 |"] {
        assert!(markdown.lines().any(|found| found == line), "{line}\n{markdown}");
    }
    let said = &json_of(&run)["profile_mini"];
    assert_eq!(said["note"], note);
    let keys = json!({"size": "niah_multikey_1: keys", "ruler": "4", "mini": "3"});
    assert!(said["sizes"].as_array().unwrap().contains(&keys), "{said}");
}

/// The documentation holds the same table.
#[test]
fn sizes_of_profile_mini_are_documented() {
    let docs = include_str!("../../docs/ruler.md");
    for row in longseq::report::mini::table().to_markdown().lines() {
        assert!(docs.lines().any(|line| line == row), "docs/ruler.md lacks {row}");
    }
}

#[test]
fn texts_of_our_own_are_said() {
    let parent = TempDir::new().unwrap();
    let corpora = longseq::corpora::Corpora::default();
    let own = &corpora.essays().unwrap().source().sha256;
    let other = "0".repeat(64);
    let run = complete(&parent).set(
        "corpora",
        json!([{ "name": "essays", "sha256": own }, { "name": "words", "sha256": other }]),
    );
    let printed = text(&report(&[&run], &[]).stdout);
    assert!(printed.contains("first: essays: longseq's own texts"), "{printed}");
}

#[test]
fn every_form_holds_the_same_numbers_and_the_provenance() {
    let parent = TempDir::new().unwrap();
    let run = complete(&parent);
    let out = parent.path().join("out");
    let output = report(&[&run], &["--out", out.to_str().unwrap(), "--format", "csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let csv = fs::read_to_string(out.join("results.csv")).unwrap();
    assert_eq!(csv, text(&output.stdout));
    assert_eq!(
        csv,
        "run,length,task,format,depth,planned,n,failed,nulls,score,low,high,quirks\n\
         first,1024,vt,,,4,4,0,1,66.67,24.5120,92.4917,\n\
         first,1024,qa_1,,,4,4,0,2,50.0,15.0039,84.9961,\n"
    );
    let markdown = fs::read_to_string(out.join("report.md")).unwrap();
    for line in [
        "| vt | 66.67 [24.5, 92.5] |",
        "| mean of 2 tasks | 58.33 [30.9, 80.1] |",
        "| plan.program.commit | c0ffee |",
        "| plan.corpora.0.sha256 | e55a |",
        r#"| plan.template.text | "{task_template}\n" |"#,
        r"| machines.0.cpu | some \| CPU |",
    ] {
        assert!(markdown.lines().any(|found| found == line), "{line}\n{markdown}");
    }
    let json: Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(json, json_of(&run));
    let result = &json["runs"][0];
    assert_eq!(result["provenance"]["plan"]["program"]["commit"], "c0ffee");
    assert_eq!(result["provenance"]["machines"][0]["threads"], 2);
    assert_eq!(result["means_over_ruler_tasks"][0]["score"], 58.33);
    assert_eq!(result["cells"][0]["metric"], "string_match_all");
    assert_eq!(result["predictions_sha256"]["1024/vt.jsonl"].as_str().unwrap().len(), 64);
}

#[test]
fn what_is_no_run_is_refused() {
    let parent = TempDir::new().unwrap();
    let empty = Run(parent.path().to_owned());
    let broken = Run::new(&parent, "broken", &[], &[]);
    fs::write(broken.0.join("plan.json"), "{").unwrap();
    let unknown = Run::new(&parent, "unknown", &["niah_triple"], &[1024]);
    let twice = complete(&parent).cell(1024, "qa_1", &[0, 0], &["yes"], &[1, 1]);
    for (run, what) in [
        (&empty, "plan.json"),
        (&broken, "plan.json"),
        (&unknown, "unknown task `niah_triple`"),
        (&twice, "a sample is there twice"),
    ] {
        let output = report(&[run], &[]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{what}");
        assert!(message.starts_with("error: ") && message.contains(what), "{what}: {message}");
        assert!(message.contains("\nhelp: "), "{what}: {message}");
        assert!(output.stdout.is_empty());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error() {
    let parent = TempDir::new().unwrap();
    let run = complete(&parent);
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let report = || {
        let mut report = Command::new(env!("CARGO_BIN_EXE_longseq"));
        report.arg("report").arg(&run.0).stdout(full());
        report
    };
    // Not even the error can be told.
    assert_eq!(report().stderr(full()).status().unwrap().code(), Some(2));
    let output = report().output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: cannot write to standard output"), "{message}");
    assert!(message.contains("\nhelp: free some space"), "{message}");
}
