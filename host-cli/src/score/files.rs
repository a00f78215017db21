//! Which files of a folder hold predictions, and of which task.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::task_name::TaskName;
use crate::{
    error::{Error, Result},
    journal::BESIDE_PREDICTIONS,
};

/// The prediction files of one task: `<task>.jsonl`, or its chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFiles {
    /// The task's name.
    pub task: String,
    /// What the name means.
    pub name: TaskName,
    /// The files in the order in which their lines count.
    pub files: Vec<PathBuf>,
}

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Known tasks, in RULER's order.
    pub tasks: Vec<TaskFiles>,
    /// Names of `.jsonl` files that no known task owns.
    pub unknown: Vec<String>,
    /// Files left out because chunks of the same task are there, too.
    pub replaced: Vec<PathBuf>,
}

/// Finds the prediction files in `folder`.
///
/// Chunks `<task>-<k>.jsonl` count as one file, in the order of their names as text (`-10` before
/// `-2`), and instead of a `<task>.jsonl` beside them: that is what RULER's `evaluate.py` makes of
/// them. It also deletes the chunks; here nothing is changed.
pub fn find(folder: &Path) -> Result<Found> {
    let mut found = Found::default();
    let mut tasks = BTreeMap::new();
    for file in jsonl_files(folder)? {
        let stem = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let chunk_of = chunk(stem);
        let task = chunk_of.unwrap_or(stem).to_owned();
        match TaskName::parse(&task) {
            None => found.unknown.push(file.file_name().unwrap_or_default().display().to_string()),
            Some(name) => {
                let (whole, chunks) = tasks.entry((name, task)).or_insert((None, Vec::new()));
                match chunk_of {
                    None => *whole = Some(file),
                    Some(_) => chunks.push(file),
                }
            }
        }
    }
    for ((name, task), (whole, mut files)) in tasks {
        match whole {
            Some(whole) if files.is_empty() => files.push(whole),
            whole => found.replaced.extend(whole),
        }
        found.tasks.push(TaskFiles { task, name, files });
    }
    Ok(found)
}

/// The folders to score under `path`: itself where it holds predictions, or each
/// `predictions/<length>` of a run, shortest first.
pub fn prediction_folders(path: &Path) -> Result<Vec<PathBuf>> {
    let is_journals = |file: &PathBuf| BESIDE_PREDICTIONS.iter().any(|name| file.ends_with(name));
    if !jsonl_files(path)?.iter().all(is_journals) {
        return Ok(vec![path.to_owned()]);
    }
    let lengths = lengths(path)?;
    if lengths.is_empty() {
        return Err(Error::new(format!("{}: no predictions here", path.display())).help(
            "expected files <task>.jsonl, or a run's folder with predictions/<length>/<task>.jsonl",
        ));
    }
    Ok(lengths.into_iter().map(|(_, folder)| folder).collect())
}

/// The lengths of a run with their folders, shortest first; none where there are none.
pub fn lengths(run: &Path) -> Result<Vec<(usize, PathBuf)>> {
    let predictions = run.join("predictions");
    if !predictions.is_dir() {
        return Ok(Vec::new());
    }
    let mut lengths: Vec<_> = entries(&predictions)?
        .into_iter()
        .filter_map(|folder| Some((folder.file_name()?.to_str()?.parse().ok()?, folder)))
        .collect();
    lengths.sort();
    Ok(lengths)
}

fn jsonl_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = entries(folder)?;
    files.retain(|file| file.extension() == Some(OsStr::new("jsonl")));
    files.sort();
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: &std::io::Error| Error::io("read", folder, error);
    fs::read_dir(folder)
        .map_err(|e| failed(&e))?
        .map(|entry| entry.map(|entry| entry.path()).map_err(|e| failed(&e)))
        .collect()
}

/// The task of a chunk `<task>-<digits>`; a task that ends in `_` has no chunks.
fn chunk(stem: &str) -> Option<&str> {
    let (task, number) = stem.rsplit_once('-')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !task.is_empty() && !task.ends_with('_')).then_some(task)
}
