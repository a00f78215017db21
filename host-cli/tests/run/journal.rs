//! Interrupted, torn, foreign: what the journal makes of a folder.

use std::{fs, path::Path};

use longseq::{
    error::Result,
    journal::{self, Folder, Journal},
    plan::{Beside, Machine, Plan, PlanFile},
    run::cell::Schedule,
};

use crate::{
    ONE,
    fake::{Retriever, machine, plan, predictions, run},
};

fn open(root: &Path, plan: &Plan, machine: &Machine) -> Result<Journal> {
    Folder::lock(root)?.open(plan, Beside::default(), machine)
}

#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    let plan = plan(true);
    let whole = tempfile::tempdir().unwrap();
    run(whole.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap();
    let schedule = Schedule { batch: 2, ..ONE };
    let folder = tempfile::tempdir().unwrap();
    let mut interruptions = 0;
    loop {
        let mut engine = Retriever::new(schedule);
        engine.calls_left = 90;
        let (ended, failed) = run(folder.path(), &plan, schedule, &mut engine).unwrap();
        assert_eq!(failed, 0);
        if ended {
            break;
        }
        interruptions += 1;
    }
    assert!(interruptions > 3);
    assert_eq!(predictions(folder.path(), &plan), predictions(whole.path(), &plan));
}

#[test]
fn a_torn_last_line_is_dropped_and_its_sample_run_again() {
    let plan = plan(true);
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap();
    let expected = predictions(folder.path(), &plan);
    let path = journal::predictions(folder.path(), &plan.cells()[1]);
    let whole = fs::read(&path).unwrap();
    let last_line = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    let middle = (last_line + whole.len()) / 2;
    for cut in [0, 1, last_line, last_line + 1, middle, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        run(folder.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap();
        assert_eq!(predictions(folder.path(), &plan), expected, "cut at {cut}");
    }
    // A lost power supply can leave zeros.
    fs::write(&path, [&whole[..middle], &[0; 100]].concat()).unwrap();
    run(folder.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap();
    assert_eq!(predictions(folder.path(), &plan), expected);
}

#[test]
fn a_broken_line_that_is_not_the_last_is_an_error() {
    let plan = plan(true);
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap();
    let path = journal::predictions(folder.path(), &plan.cells()[0]);
    let mut lines = fs::read(&path).unwrap();
    lines[20] = 0;
    fs::write(&path, &lines).unwrap();
    let error = run(folder.path(), &plan, ONE, &mut Retriever::new(ONE)).unwrap_err();
    assert!(error.what().contains("one.jsonl, line 1"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), lines);
}

#[test]
fn another_plan_is_refused_and_its_differences_named() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(true);
    open(folder.path(), &plan, &machine()).unwrap();
    let mut other = plan.clone();
    other.samples += 1;
    other.tokenizer.bos = Some(3);
    let error = open(folder.path(), &other, &machine()).unwrap_err();
    assert!(error.what().contains("samples: 9 there, 10 here"), "{error}");
    assert!(error.what().contains("tokenizer.bos: null there, 3 here"), "{error}");
    assert!(!error.what().contains("seed"), "{error}");
    assert_ne!(plan.sha256(), other.sha256());
}

#[test]
fn the_plan_is_written_down_with_its_hash_and_machines() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(true);
    let mut elsewhere = machine();
    elsewhere.cpu = "another".to_owned();
    for machine in [machine(), elsewhere.clone(), machine()] {
        open(folder.path(), &plan, &machine).unwrap();
    }
    let file = PlanFile::read(folder.path()).unwrap();
    assert_eq!(file.parsed().unwrap(), plan);
    assert_eq!(file.plan_sha256, plan.sha256());
    assert_eq!(file.machines, [machine(), elsewhere]);
}

#[test]
fn one_process_at_a_time_writes() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(true);
    let first = open(folder.path(), &plan, &machine()).unwrap();
    let error = open(folder.path(), &plan, &machine()).unwrap_err();
    assert!(error.what().contains("another process"), "{error}");
    drop(first);
    open(folder.path(), &plan, &machine()).unwrap();
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let error = open(folder.path(), &plan(true), &machine()).unwrap_err();
    assert!(error.what().contains("thesis.tex"), "{error}");
}
