//! The folder of a run: what was planned, and every prediction as soon as it is there.
//!
//! ```text
//! RUN/plan.json                           the plan, its hash, the first prompt, the machines
//! RUN/predictions/<length>/<task>.jsonl   RULER's prediction lines, in order of completion
//! RUN/failures.jsonl                      samples that failed; void once a prediction is there
//! RUN/timings.jsonl                       how long cells took, a line each time one was worked on
//! RUN/lock                                held while a process writes
//! ```
//!
//! Predictions, failures and timings are only ever appended to, one `write` a line, so a process killed at
//! any moment leaves at most one torn line at the end of a file.

mod lines;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    completion::Completion,
    error::{Error, Result},
    plan::{Beside, Cell, Machine, Plan, PlanFile},
    python_json::write_line,
};

/// Name of the file of [`Failure`]s.
const FAILURES: &str = "failures.jsonl";

/// Name of the file of [`Timing`]s.
const TIMINGS: &str = "timings.jsonl";

/// Files of lines in a run's folder that hold no predictions.
pub const BESIDE_PREDICTIONS: [&str; 2] = [FAILURES, TIMINGS];

/// A sample without a prediction: a line of `failures.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Length of the cell, in tokens.
    pub length: usize,
    /// Task of the cell.
    pub task: String,
    /// Number of the sample in its cell, from 0.
    pub sample: usize,
    /// What went wrong.
    pub error: String,
}

/// How long a cell took: a line of `timings.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Length of the cell, in tokens.
    pub length: usize,
    /// Task of the cell.
    pub task: String,
    /// Tokens that passed through the model, of prompts and answers together; shared ones once.
    pub tokens: usize,
    /// Seconds that this took.
    pub seconds: f64,
}

/// A run's folder that no other process writes to while this value lives.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Releases the lock when dropped.
    _lock: File,
}

impl Folder {
    /// Locks a new or empty folder, or that of a run; refuses one that another process writes to
    /// or that holds something else.
    pub fn lock(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|source| Error::io("create", root, &source))?;
        refuse_foreign_files(root)?;
        Ok(Self { root: root.to_path_buf(), _lock: lock(root)? })
    }

    /// Starts the run, recording what is `beside` its plan, or continues it, dropping torn last lines;
    /// refuses one of another plan.
    pub fn open(self, plan: &Plan, beside: Beside, machine: &Machine) -> Result<Journal> {
        match PlanFile::find(&self.root, plan)? {
            Some(file) => file.note_machine(machine, &self.root)?,
            None => PlanFile::new(plan, beside, machine).write(&self.root)?,
        }
        let failures = self.root.join(FAILURES);
        lines::repair::<Failure>(&failures, |_| Ok(()))?;
        lines::repair::<Timing>(&self.root.join(TIMINGS), |_| Ok(()))?;
        for cell in plan.cells() {
            lines::repair::<Completion>(&predictions(&self.root, &cell), |_| Ok(()))?;
        }
        Ok(Journal { failures: append(&failures)?, folder: self, failed: 0 })
    }
}

/// Where a run's predictions and failures go.
#[derive(Debug)]
pub struct Journal {
    folder: Folder,
    failures: File,
    /// Samples that failed since the journal was opened.
    failed: usize,
}

impl Journal {
    /// Opens the predictions of a cell.
    pub fn cell(&mut self, cell: &Cell) -> Result<CellJournal<'_>> {
        let path = predictions(&self.folder.root, cell);
        let folder = path.parent().unwrap_or(&self.folder.root);
        fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, &source))?;
        Ok(CellJournal { cell: cell.clone(), file: append(&path)?, path, journal: self })
    }

    /// Records how long a cell took.
    pub fn took(&mut self, timing: &Timing) -> Result<()> {
        let path = self.folder.root.join(TIMINGS);
        append_line(&mut append(&path)?, &path, timing)
    }

    /// Samples that failed since the journal was opened.
    pub fn failed(&self) -> usize {
        self.failed
    }
}

/// The predictions of one cell, open for writing.
#[derive(Debug)]
pub struct CellJournal<'j> {
    cell: Cell,
    path: PathBuf,
    file: File,
    journal: &'j mut Journal,
}

impl CellJournal<'_> {
    /// The cell.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// Appends a prediction.
    pub fn complete(&mut self, completion: &Completion) -> Result<()> {
        append_line(&mut self.file, &self.path, completion)
    }

    /// Records that a sample failed.
    pub fn fail(&mut self, sample: usize, error: &Error) -> Result<()> {
        let failure = Failure {
            length: self.cell.length,
            task: self.cell.task.clone(),
            sample,
            error: error.what().to_owned(),
        };
        self.journal.failed += 1;
        let path = self.journal.folder.root.join(FAILURES);
        append_line(&mut self.journal.failures, &path, &failure)
    }
}

/// Numbers of the samples of a cell that have a prediction; an error where the file holds a line
/// that is none of the cell's `samples`. A torn last line is passed over.
pub fn finished(root: &Path, cell: &Cell, samples: usize) -> Result<BTreeSet<usize>> {
    let path = predictions(root, cell);
    let mut finished = BTreeSet::new();
    lines::read(&path, |completion: Completion| match completion.others.sample {
        Some(sample) if sample < samples && finished.insert(sample) => Ok(()),
        Some(sample) if sample < samples => Err(format!("sample {sample} is there twice")),
        Some(sample) => Err(format!("sample {sample} is not one of the plan's {samples}")),
        None => Err("others.sample is missing".to_owned()),
    })?;
    Ok(finished)
}

/// The last failure of each sample, by length, task and number; those that a later attempt
/// completed included. A torn last line is passed over.
pub fn failures(root: &Path) -> Result<BTreeMap<(usize, String, usize), Failure>> {
    let mut failures = BTreeMap::new();
    lines::read(&root.join(FAILURES), |failure: Failure| {
        failures.insert((failure.length, failure.task.clone(), failure.sample), failure);
        Ok(())
    })?;
    Ok(failures)
}

/// How long cells took, in the order in which they were worked on. A torn last line is passed over.
pub fn timings(root: &Path) -> Result<Vec<Timing>> {
    let mut timings = Vec::new();
    lines::read(&root.join(TIMINGS), |timing: Timing| {
        timings.push(timing);
        Ok(())
    })?;
    Ok(timings)
}

/// The prediction file of a cell.
pub fn predictions(root: &Path, cell: &Cell) -> PathBuf {
    root.join("predictions").join(cell.length.to_string()).join(format!("{}.jsonl", cell.task))
}

fn lock(root: &Path) -> Result<File> {
    let path = root.join("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(|source| Error::io("write", &path, &source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::new(format!("another process is writing to {}", root.display()))
                .help("wait until it ends, or name another folder with --out"))
        }
        Err(TryLockError::Error(source)) => Err(Error::io("lock", &path, &source)),
    }
}

fn refuse_foreign_files(root: &Path) -> Result<()> {
    let entries = fs::read_dir(root).map_err(|source| Error::io("read", root, &source))?;
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let is_run = names.iter().any(|name| name == "plan.json");
    match names.iter().find(|&name| name != "lock" && name != "plan.json.part") {
        None => Ok(()),
        Some(_) if is_run => Ok(()),
        Some(name) => {
            let name = name.display();
            Err(Error::new(format!("{} holds {name} but no plan.json", root.display()))
                .help("name a new or empty folder, or that of a run, with --out"))
        }
    }
}

fn append(path: &Path) -> Result<File> {
    let open = OpenOptions::new().create(true).append(true).open(path);
    open.map_err(|source| Error::io("write", path, &source))
}

fn append_line(file: &mut File, path: &Path, line: &impl Serialize) -> Result<()> {
    let mut bytes = Vec::new();
    let written = write_line(&mut bytes, line).and_then(|()| file.write_all(&bytes));
    written.map_err(|source| {
        Error::io("write", path, &source).help("free some space and run the same command again")
    })
}
