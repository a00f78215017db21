//! `longseq score`: files in, `summary.csv` out.

use std::path::{Path, PathBuf};

use longseq_core::ruler::task::TASKS;
use serde_json::{Value, json};

use super::{Outcome, print};
use crate::{
    args::score::ScoreArgs,
    error::{Error, Result},
    progress::say,
    score::{
        TaskScore,
        files::{find, prediction_folders},
        summary,
        task_name::TaskName,
    },
    table::Table,
};

/// The scores of one folder and the files that now hold them.
struct Summary {
    folder: PathBuf,
    scores: Vec<(String, TaskScore)>,
    written: [PathBuf; 2],
}

/// Scores every folder that `args` name.
pub fn run(args: &ScoreArgs) -> Result<Outcome> {
    if let Some(task) = args.task.iter().find(|task| TaskName::parse(task).is_none()) {
        return Err(Error::new(format!("unknown task `{task}`")).help(format!(
            "RULER's tasks are {}; see `longseq generate --help` for those at a fixed depth",
            TASKS.map(|task| task.name).join(", ")
        )));
    }
    let mut summaries = Vec::new();
    for folder in prediction_folders(&args.pred_dir)? {
        summaries.push(summarise(folder, &args.task)?);
    }
    if args.json {
        print(&format!("{:#}\n", Value::from_iter(summaries.iter().map(Summary::to_json))))?;
    } else {
        print(&summaries.iter().map(Summary::to_text).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Outcome::Done)
}

fn summarise(folder: PathBuf, only: &[String]) -> Result<Summary> {
    let found = find(&folder)?;
    for file in &found.unknown {
        say(&format!("note: {}: not the name of a task, left out\n", folder.join(file).display()));
    }
    for file in &found.replaced {
        say(&format!("note: {}: left out, its chunks are scored instead\n", file.display()));
    }
    let mut scores = Vec::new();
    for task in found.tasks {
        if only.is_empty() || only.contains(&task.task) {
            let score = TaskScore::read(&task.files, task.name.metric())?;
            warn(&folder, &task.task, &score);
            scores.push((task.task, score));
        }
    }
    if scores.is_empty() {
        return Err(Error::new(format!("{}: no predictions of these tasks", folder.display()))
            .help("files are named <task>.jsonl or <task>-<chunk>.jsonl"));
    }
    let written = summary::write(&folder, &scores)?;
    Ok(Summary { folder, scores, written })
}

/// Says where a number is not what it seems.
fn warn(folder: &Path, task: &str, score: &TaskScore) {
    let warn = |what: &str| say(&format!("warning: {}: {task}: {what}\n", folder.display()));
    if score.samples.is_empty() {
        warn("no predictions; RULER calls that a score of 0.0");
    }
    if score.without_references {
        warn("the predictions have no references; RULER calls that a score of 0.0");
    }
    if score.torn {
        warn("the half-written last line is left out");
    }
}

impl Summary {
    fn to_text(&self) -> String {
        let [header, score, nulls] = summary::rows(&self.scores);
        let table = Table { header, rows: vec![score, nulls] }.to_text(true);
        let [summary, submission] = &self.written;
        format!("{table}\nwritten: {} and {}\n", summary.display(), submission.display())
    }

    fn to_json(&self) -> Value {
        let tasks = self.scores.iter().map(|(task, score)| {
            json!({
                "task": task,
                "metric": TaskName::parse(task).map(|name| name.metric().name()),
                "score": score.percent(),
                "samples": score.samples.len(),
                "nulls": score.nulls(),
            })
        });
        json!({ "folder": self.folder, "tasks": tasks.collect::<Vec<_>>() })
    }
}
