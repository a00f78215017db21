//! `summary.csv` and `submission.csv`, byte for byte as RULER's `evaluate.py` writes them.

use std::path::{Path, PathBuf};

use super::TaskScore;
use crate::error::{Error, Result};

/// The scored tasks of one folder, in order.
pub type Scores = [(String, TaskScore)];

/// The summary as rows: names, scores, and answers with nothing in them.
pub fn rows(scores: &Scores) -> [Vec<String>; 3] {
    let row = |title: &str, cell: &dyn Fn(&str, &TaskScore) -> String| {
        let cells = scores.iter().map(|(task, score)| cell(task, score));
        [title.to_owned()].into_iter().chain(cells).collect()
    };
    [
        row("Tasks", &|task, _| task.to_owned()),
        // Rust's shortest form of a float with at most two decimals is Python's, too.
        row("Score", &|_, score| format!("{:?}", score.percent())),
        row("Nulls", &|_, score| format!("{}/{}", score.nulls(), score.samples.len())),
    ]
}

/// Writes both files into `folder`: `summary.csv` (`summary-<task>.csv` for a single task) and
/// `submission.csv`. Returns their paths.
pub fn write(folder: &Path, scores: &Scores) -> Result<[PathBuf; 2]> {
    let summary = folder.join(match scores {
        [(task, _)] => format!("summary-{task}.csv"),
        _ => "summary.csv".to_owned(),
    });
    // pandas heads columns that have no names with their numbers.
    let numbers = (0..=scores.len()).map(|number| number.to_string()).collect();
    write_csv(&summary, [numbers].into_iter().chain(rows(scores)))?;

    let submission = folder.join("submission.csv");
    let header = ["Task", "ID", "Prediction"].map(str::to_owned).to_vec();
    let answers = scores.iter().flat_map(|(task, score)| {
        let answer = |sample: &super::Scored| {
            vec![task.clone(), sample.id.clone(), sample.prediction.clone()]
        };
        score.samples.iter().map(answer)
    });
    write_csv(&submission, [header].into_iter().chain(answers))?;
    Ok([summary, submission])
}

fn write_csv(path: &Path, rows: impl Iterator<Item = Vec<String>>) -> Result<()> {
    let failed = |error: csv::Error| Error::io("write", path, &error.into());
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    for row in rows {
        writer.write_record(row).map_err(failed)?;
    }
    writer.flush().map_err(|e| Error::io("write", path, &e))
}
