//! Prediction files and their scores: RULER's `evaluate.py` as functions.

pub mod files;
pub mod summary;
pub mod task_name;

use std::{
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, BufRead, BufReader},
    path::Path,
};

use longseq_core::ruler::score::{Metric, Prediction, ScoreSum, round_percent};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    completion::Finish,
    error::{Error, Result},
};

/// A prediction line as the scorer reads it: RULER's fields, and ours where they are there.
#[derive(Deserialize)]
struct Line {
    index: Value,
    pred: String,
    input: Value,
    outputs: Vec<Option<String>>,
    others: Others,
}

#[derive(Deserialize)]
struct Others {
    id: Option<Value>,
    sample: Option<usize>,
    finish: Option<Finish>,
}

/// One scored answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// `others.id`, or else `index`, as `submission.csv` shows it.
    pub id: String,
    /// The sample's number in its cell, where this program wrote the line.
    pub sample: Option<usize>,
    /// Why decoding ended, where this program wrote the line.
    pub finish: Option<Finish>,
    /// The answer after post-processing.
    pub prediction: String,
    /// Score in [0, 1].
    pub score: f64,
    /// Tells prompts apart, within one run of this program.
    pub prompt: u64,
}

/// The scored answers of one task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskScore {
    /// The answers in the order of the files.
    pub samples: Vec<Scored>,
    /// A half-written last line was left out.
    pub torn: bool,
    /// The file's first reference is `null`: such a file has no references, and every score is 0.
    pub without_references: bool,
    /// The first reference of the first sample.
    pub reference: Option<String>,
}

impl TaskScore {
    /// Reads and scores the prediction files of one task, one after the other.
    pub fn read(files: &[impl AsRef<Path>], metric: Metric) -> Result<Self> {
        let mut task = Self::default();
        for file in files {
            task.read_file(file.as_ref(), metric)?;
        }
        Ok(task)
    }

    fn read_file(&mut self, path: &Path, metric: Metric) -> Result<()> {
        let failed = |error: &io::Error| Error::io("read", path, error);
        let mut reader = BufReader::new(File::open(path).map_err(|e| failed(&e))?);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(|e| failed(&e))? == 0 {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let at = || format!("{}, line {number}", path.display());
            match serde_json::from_slice(&line) {
                Ok(line) => self.add(line, metric, at)?,
                Err(_) if !line.ends_with(b"\n") => self.torn = true,
                Err(error) => {
                    return Err(Error::new(format!("{}: not a prediction: {error}", at())).help(
                        "a line needs `index`, `pred`, `input`, `outputs` and `others`, as RULER's \
                         call_api.py and `longseq run` write them",
                    ));
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, line: Line, metric: Metric, at: impl Fn() -> String) -> Result<()> {
        if self.samples.is_empty() {
            self.without_references = matches!(line.outputs.first(), Some(None));
            self.reference = line.outputs.first().cloned().flatten();
        }
        let prediction = Prediction::new(&line.pred);
        let score = if self.without_references {
            0.0
        } else {
            let references: Option<Vec<&str>> = line.outputs.iter().map(Option::as_deref).collect();
            references.and_then(|references| metric.score(prediction, references)).ok_or_else(
                || {
                    Error::new(format!("{}: `outputs` is empty or holds null", at())).help(
                        "without references an answer has no score; RULER's scorer raises here",
                    )
                },
            )?
        };
        self.samples.push(Scored {
            id: cell(line.others.id.unwrap_or(line.index)),
            sample: line.others.sample,
            finish: line.others.finish,
            prediction: prediction.to_string(),
            score,
            prompt: fingerprint(&line.input),
        });
        Ok(())
    }

    /// The task's score in percent as RULER prints it, 0 for an empty file.
    pub fn percent(&self) -> f64 {
        let mut sum = ScoreSum::default();
        self.samples.iter().for_each(|sample| sum.add(sample.score));
        sum.percent().map_or(0.0, round_percent)
    }

    /// Number of answers with nothing left after post-processing.
    pub fn nulls(&self) -> usize {
        self.samples.iter().filter(|sample| sample.prediction.is_empty()).count()
    }
}

fn fingerprint(prompt: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    prompt.hash(&mut hasher);
    hasher.finish()
}

/// A JSON value as pandas writes it into a cell.
fn cell(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
