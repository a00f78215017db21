//! `longseq run` from the command line, on the checkpoint that ships with the project.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/random-mamba2");

/// Two tasks at one length, five samples each.
const CELLS: [&str; 6] = ["--tasks", "niah_single_1,vt", "--lengths", "1024", "--samples", "5"];

fn longseq(arguments: &[&str], out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longseq"));
    command.args(["run", "--model", MODEL]).args(arguments).arg("--out").arg(out);
    command
}

fn run(arguments: &[&str], out: &Path) -> Output {
    longseq(&[&CELLS, arguments].concat(), out).output().unwrap()
}

/// Starts a run that takes a while: every answer is written to its end, one after another.
fn start(out: &Path) -> Child {
    start_of(&CELLS, out)
}

fn start_of(cells: &[&str], out: &Path) -> Child {
    let slow = ["--no-decided-stop", "--batch", "1"];
    let mut command = longseq(&[cells, &slow].concat(), out);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn prediction_files(out: &Path) -> Vec<PathBuf> {
    let folder = out.join("predictions/1024");
    ["niah_single_1", "vt"].map(|task| folder.join(format!("{task}.jsonl"))).to_vec()
}

/// Whole lines of all prediction files.
fn lines(out: &Path) -> usize {
    let count = |file: PathBuf| fs::read(file).unwrap_or_default();
    let count = |file| count(file).iter().filter(|&&byte| byte == b'\n').count();
    prediction_files(out).into_iter().map(count).sum()
}

/// Every prediction, by task and sample.
fn predictions(out: &Path) -> BTreeMap<(String, u64), Value> {
    let mut all = BTreeMap::new();
    for file in prediction_files(out) {
        let task = file.file_stem().unwrap().display().to_string();
        for line in fs::read_to_string(&file).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let sample = line["others"]["sample"].as_u64().unwrap();
            assert!(all.insert((task.clone(), sample), line).is_none(), "{task} {sample} is twice");
        }
    }
    all
}

/// Waits until the run has more than `before` predictions, or ends.
fn wait_for_more(child: &mut Child, out: &Path, before: usize) {
    let begun = Instant::now();
    while lines(out) <= before && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(300), "no prediction in five minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_writes_rulers_prediction_lines_and_is_not_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let first = run(&[], &out);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let predictions = predictions(&out);
    assert_eq!(predictions.len(), 10);
    for ((task, sample), line) in &predictions {
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["index", "pred", "input", "outputs", "others", "truncation", "length"]);
        assert!(line["length"].as_u64().unwrap() <= 1024);
        let output = if task == "vt" { 30 } else { 128 };
        let finish = line["others"]["finish"].as_str().unwrap();
        let generated = line["others"]["generated_tokens"].as_u64().unwrap();
        assert!(generated == output || finish == "decided", "{task} {sample}: {generated}");
        let prompt = line["others"]["prompt_tokens"].as_u64().unwrap();
        assert!(prompt + output <= 1024, "{task} {sample}: {prompt}");
    }
    let files = prediction_files(&out);
    let before: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let again = run(&[], &out);
    assert_eq!(again.status.code(), Some(0));
    assert!(text(&again.stderr).contains("10 are there already"), "{}", text(&again.stderr));
    let after: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(before, after);
    let mut score = Command::new(env!("CARGO_BIN_EXE_longseq"));
    assert!(score.args(["score", "--pred-dir"]).arg(&out).status().unwrap().success());
    let mut report = Command::new(env!("CARGO_BIN_EXE_longseq"));
    let report = report.arg("report").arg(&out).current_dir(folder.path()).output().unwrap();
    assert!(report.status.success(), "{}", text(&report.stderr));
}

#[test]
fn a_run_of_profile_mini_says_that_it_is_not_rulers() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let cells = ["--profile", "mini", "--tasks", "niah_single_1,vt", "--lengths", "256"];
    let output = longseq(&[&cells[..], &["--samples", "3"]].concat(), &out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (printed, said) = (text(&output.stdout), "\nprofile mini: RULER's tasks scaled down; not");
    assert!(printed.contains(said), "{printed}");
    assert!(printed.contains("\nvt: statements of the chain "), "{printed}");
    let plan: Value = serde_json::from_slice(&fs::read(out.join("plan.json")).unwrap()).unwrap();
    assert_eq!(plan["plan"]["profile"], "mini");
    assert_eq!(plan["plan"]["seeding"], "per-sample");
    for (task, output) in [("niah_single_1", 32), ("vt", 24)] {
        let file = fs::read_to_string(out.join(format!("predictions/256/{task}.jsonl"))).unwrap();
        for line in file.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let others = &line["others"];
            assert!(others["prompt_tokens"].as_u64().unwrap() + output <= 256, "{line}");
            assert!(others["generated_tokens"].as_u64().unwrap() <= output, "{line}");
        }
    }
    let inspect = ["inspect", "--model", MODEL, "--prompt", "--profile", "mini", "--length", "256"];
    let inspected = Command::new(env!("CARGO_BIN_EXE_longseq")).args(inspect).output().unwrap();
    assert!(inspected.status.success(), "{}", text(&inspected.stderr));
}

#[test]
fn predictions_do_not_depend_on_how_they_are_scheduled() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("one");
    assert!(run(&[], &one).status.success());
    let expected = predictions(&one);
    let options: [&[&str]; 3] =
        [&["--batch", "3"], &["--no-shared-prefix"], &["--batch", "4", "--threads", "1"]];
    for (number, options) in options.into_iter().enumerate() {
        let out = folder.path().join(number.to_string());
        assert!(run(options, &out).status.success());
        assert_eq!(predictions(&out), expected, "{options:?}");
    }
}

#[test]
fn a_run_killed_again_and_again_ends_as_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    assert!(start(&whole).wait().unwrap().success());
    let mut kills = 0;
    loop {
        let mut child = start(&killed);
        let before = lines(&killed);
        wait_for_more(&mut child, &killed, before);
        // SIGKILL on Unix.
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        kills += 1;
        // What a write that was cut off leaves.
        let file = prediction_files(&killed).into_iter().rfind(|file| file.exists()).unwrap();
        let mut bytes = fs::read(&file).unwrap();
        bytes.extend(b"{\"index\": 0, \"pred\": \"The");
        fs::write(&file, bytes).unwrap();
    }
    assert!(kills >= 3, "killed only {kills} times");
    assert_eq!(predictions(&killed), predictions(&whole));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_cleanly_and_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut child = start(&out);
    wait_for_more(&mut child, &out, 0);
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!((1..10).contains(&lines(&out)));
    assert!(start(&out).wait().unwrap().success());
    assert_eq!(predictions(&out).len(), 10);
}

#[test]
fn another_plan_or_another_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    // Many samples: it is not to end before the other one has come.
    let cells = [&CELLS[..4], &["--samples", "200"]].concat();
    let mut child = start_of(&cells, &out);
    wait_for_more(&mut child, &out, 0);
    let busy = longseq(&[&cells[..], &["--no-decided-stop"]].concat(), &out).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(busy.status.code(), Some(2));
    assert!(text(&busy.stderr).contains("another process"), "{}", text(&busy.stderr));
    let before = fs::read(out.join("plan.json")).unwrap();
    let differs = ["--no-decided-stop", "--seed", "7", "--template", "RWKV"];
    let other = longseq(&[&cells[..], &differs].concat(), &out).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    let message = text(&other.stderr);
    assert!(message.contains("seed: 42 there, 7 here"), "{message}");
    assert!(message.contains("template.name: \"base\" there, \"RWKV\" here"), "{message}");
    assert!(!message.contains("lengths"), "{message}");
    assert_eq!(fs::read(out.join("plan.json")).unwrap(), before);
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let dry = run(&["--dry-run", "--json"], &out);
    assert_eq!(dry.status.code(), Some(0), "{}", text(&dry.stderr));
    assert!(!out.exists());
    let said: Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert!(text(&dry.stderr).contains("prompt 0"), "{}", text(&dry.stderr));
    assert!(run(&[], &out).status.success());
    let plan: Value = serde_json::from_slice(&fs::read(out.join("plan.json")).unwrap()).unwrap();
    assert_eq!((&plan["plan_sha256"], &plan["plan"]), (&said["plan_sha256"], &said["plan"]));
    assert_eq!(plan["plan"]["checkpoint"]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn what_cannot_run_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let wrong: [(&[&str], &str); 7] = [
        (&["--tasks", "niah", "--lengths", "1024"], "no task \"niah\""),
        (&["--tasks", "vt", "--lengths", "64"], "vt"),
        (&["--tasks", "vt", "--lengths", "1024", "--tokenizer", "nowhere"], "nowhere"),
        (&["--tasks", "vt", "--lengths", "1024", "--samples", "0"], "nothing to run"),
        (&["--tasks", "vt", "--lengths", "131072", "--samples", "8193"], "8193 samples of 131072"),
        (&["--tasks", "vt", "--lengths", "0", "--samples", "1000001"], "more than 1000000"),
        (&["--tasks", "vt", "--lengths", "1024", "--threads", "1025"], "more than 1024"),
    ];
    for (arguments, expected) in wrong {
        let output = longseq(arguments, &out).output().unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("error: ") && message.contains(expected), "{message}");
        assert!(!out.join("plan.json").exists());
    }
}
