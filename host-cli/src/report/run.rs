//! The results of one run, read from its folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use longseq_core::statistics::{Estimate, mean_score};
use serde_json::Value;

use crate::{
    completion::Finish,
    digest::sha256_file,
    error::{Error, Result},
    journal::{Timing, failures, timings},
    plan::PlanFile,
    probe::{self, PROBES, Probe},
    score::{
        Scored, TaskScore,
        files::{find, lengths},
        task_name::TaskName,
    },
};

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What tables call it: the name of its folder.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its `plan.json`.
    pub plan: PlanFile,
    /// Its cells by length, then in RULER's order of the tasks.
    pub cells: Vec<Cell>,
    /// SHA-256 of each prediction file, by `<length>/<task>.jsonl`.
    pub predictions: BTreeMap<String, String>,
    /// How long cells took, where that was recorded.
    pub timings: Vec<Timing>,
    /// What `longseq probe --json` wrote into its `probes.json`, if anything.
    pub probes: Vec<Probe>,
}

/// A task at a length.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Sequence length in tokens.
    pub length: usize,
    /// The task's name.
    pub task: String,
    /// What the name means.
    pub name: TaskName,
    /// Samples planned.
    pub planned: usize,
    /// Samples with a prediction.
    pub scored: usize,
    /// Samples that failed and have no prediction.
    pub failed: usize,
    /// Predictions with nothing in them.
    pub nulls: usize,
    /// Predictions that were stopped when their score could no longer change.
    pub decided: usize,
    /// RULER's score in percent; `None` without predictions.
    pub percent: Option<f64>,
    /// The mean score in [0, 1] with its interval; `None` without predictions.
    pub estimate: Option<Estimate>,
    /// A reference of the task.
    pub reference: Option<String>,
    /// The score of every sample, in the order of their numbers.
    pub samples: Vec<SampleScore>,
}

/// What one sample came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleScore {
    /// Its number in its cell; `None` where another program wrote the line.
    pub number: Option<usize>,
    /// Its score in [0, 1].
    pub score: f64,
    /// Tells prompts apart, within one run of this program.
    pub prompt: u64,
}

impl Run {
    /// Reads the folder of a run.
    pub fn read(folder: &Path) -> Result<Self> {
        let plan = PlanFile::read(folder)?;
        let mut cells = planned(&plan.plan)?;
        let mut failed = failed(folder)?;
        let mut predictions = BTreeMap::new();
        for (length, files) in lengths(folder)? {
            for found in find(&files)?.tasks {
                let score = TaskScore::read(&found.files, found.name.metric())?;
                let key = (length, found.name);
                let cell = cells
                    .entry(key)
                    .or_insert_with(|| Cell::empty(length, &found.task, found.name, 0));
                cell.fill(score, failed.remove(&(length, found.task.clone())).unwrap_or_default())?;
                for file in &found.files {
                    let sha256 = sha256_file(file).map_err(|e| Error::io("read", file, &e))?;
                    let name = file.file_name().unwrap_or_default().display();
                    predictions.insert(format!("{length}/{name}"), sha256);
                }
            }
        }
        // Cells in which nothing but failures came out.
        for cell in cells.values_mut() {
            if let Some(samples) = failed.remove(&(cell.length, cell.task.clone())) {
                cell.failed = samples.len();
            }
        }
        let (timings, probes) = (timings(folder)?, probe::read(&folder.join(PROBES))?);
        let name = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let name = name.file_name().unwrap_or_default().display().to_string();
        let (folder, cells) = (folder.to_owned(), cells.into_values().collect());
        Ok(Self { name, folder, plan, cells, predictions, timings, probes })
    }

    /// Its lengths, shortest first.
    pub fn lengths(&self) -> BTreeSet<usize> {
        self.cells.iter().map(|cell| cell.length).collect()
    }

    /// A value of the plan, e.g. `/template/name`; `None` where the version that wrote it had none.
    pub fn planned(&self, pointer: &str) -> Option<&Value> {
        self.plan.plan.pointer(pointer)
    }
}

impl Cell {
    fn empty(length: usize, task: &str, name: TaskName, planned: usize) -> Self {
        Self {
            length,
            task: task.to_owned(),
            name,
            planned,
            scored: 0,
            failed: 0,
            nulls: 0,
            decided: 0,
            percent: None,
            estimate: None,
            reference: None,
            samples: Vec::new(),
        }
    }

    /// Takes in what was scored; of `failed` samples those count that have no prediction.
    fn fill(&mut self, mut score: TaskScore, failed: BTreeSet<usize>) -> Result<()> {
        // In the order of the samples, whatever the order of completion was.
        score.samples.sort_by_key(|sample| sample.sample);
        let done: BTreeSet<_> = score.samples.iter().filter_map(|sample| sample.sample).collect();
        if done.len() < score.samples.iter().filter(|sample| sample.sample.is_some()).count() {
            let Self { task, length, .. } = self;
            return Err(Error::new(format!(
                "predictions of {task} at {length}: a sample is there twice"
            ))
            .help("keep one line of each `others.sample`"));
        }
        let scores: Vec<f64> = score.samples.iter().map(|sample| sample.score).collect();
        let decided = |sample: &&Scored| sample.finish == Some(Finish::Decided);
        self.scored = scores.len();
        self.planned = self.planned.max(self.scored);
        self.failed = failed.difference(&done).count();
        self.nulls = score.nulls();
        self.decided = score.samples.iter().filter(decided).count();
        self.percent = (!scores.is_empty()).then(|| score.percent());
        self.estimate = mean_score(&scores);
        self.reference = score.reference;
        let sample = |&Scored { sample: number, score, prompt, .. }: &Scored| SampleScore {
            number,
            score,
            prompt,
        };
        self.samples = score.samples.iter().map(sample).collect();
        Ok(())
    }

    /// Whether every planned sample has a prediction.
    pub fn is_complete(&self) -> bool {
        self.scored == self.planned
    }
}

/// The cells that the plan names, all empty.
fn planned(plan: &Value) -> Result<BTreeMap<(usize, TaskName), Cell>> {
    let list = |key| plan.pointer(key).and_then(Value::as_array).into_iter().flatten();
    let samples = plan.pointer("/samples").and_then(Value::as_u64).unwrap_or(0) as usize;
    let mut cells = BTreeMap::new();
    for length in list("/lengths").filter_map(Value::as_u64) {
        for task in list("/tasks").filter_map(Value::as_str) {
            let name = TaskName::parse(task).ok_or_else(|| {
                Error::new(format!("plan.json names an unknown task `{task}`"))
                    .help("report with the version of longseq that ran it")
            })?;
            let cell = Cell::empty(length as usize, task, name, samples);
            cells.insert((length as usize, name), cell);
        }
    }
    Ok(cells)
}

/// The samples that ever failed, by length and task.
fn failed(folder: &Path) -> Result<BTreeMap<(usize, String), BTreeSet<usize>>> {
    let mut failed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (length, task, sample) in failures(folder)?.into_keys() {
        failed.entry((length, task)).or_default().insert(sample);
    }
    Ok(failed)
}
