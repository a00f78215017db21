//! Where samples were lost, for reading through.

use serde::Serialize;

use super::super::{
    answered::{Answered, Cut, lost, read},
    model::Model,
    run::{Cell, Run},
};
use crate::{error::Result, journal};

/// The most samples of a cell that the page holds.
pub const MOST: usize = 3;

/// The lost samples of a model.
#[derive(Serialize)]
pub struct LostOfModel {
    name: String,
    lost: usize,
    of: usize,
    cells: Vec<LostOfCell>,
}

/// The first lost samples of a cell.
#[derive(Serialize)]
struct LostOfCell {
    task: String,
    length: usize,
    lost: usize,
    of: usize,
    samples: Vec<Answered>,
}

/// Those of every model that lost any.
pub fn models(models: &[Model<'_>]) -> Result<Vec<LostOfModel>> {
    let mut all = Vec::new();
    for model in models {
        let mut cells = Vec::new();
        for run in &model.runs {
            // The cells of this run that the model's figures are made of.
            for cell in run
                .cells
                .iter()
                .filter(|cell| model.cells.iter().any(|of| std::ptr::eq(*of, *cell)))
            {
                cells.extend(of_cell(run, cell)?);
            }
        }
        let lost: usize = cells.iter().map(|cell| cell.lost).sum();
        let of = model.cells.iter().map(|cell| cell.scored).sum();
        if lost > 0 {
            all.push(LostOfModel { name: model.name.clone(), lost, of, cells });
        }
    }
    Ok(all)
}

fn of_cell(run: &Run, cell: &Cell) -> Result<Option<LostOfCell>> {
    let count = cell.samples.iter().filter(|sample| sample.score < 1.0).count();
    if count == 0 {
        return Ok(None);
    }
    Ok(Some(LostOfCell {
        task: cell.task.clone(),
        length: cell.length,
        lost: count,
        of: cell.scored,
        samples: read(run, cell, &lost(cell, MOST), Cut::Middle)?,
    }))
}

/// A line for each sample that failed and has no prediction.
pub fn failures(runs: &[Run]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for run in runs {
        for ((length, task, sample), failure) in journal::failures(&run.folder)? {
            let at = |cell: &&Cell| cell.length == length && cell.task == task;
            let answered = run
                .cells
                .iter()
                .find(at)
                .is_some_and(|cell| cell.samples.iter().any(|of| of.number == Some(sample)));
            if !answered {
                let (name, error) = (&run.name, failure.error);
                lines.push(format!("{name}: {task} at {length} tokens, sample {sample}: {error}"));
            }
        }
    }
    Ok(lines)
}
