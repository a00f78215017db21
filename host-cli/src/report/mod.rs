//! Reports: what runs found, as tables and as data. A pure function of their folders.

pub mod against;
pub mod answered;
pub mod data;
pub mod findings;
pub mod html;
pub mod mini;
pub mod model;
pub mod provenance;
pub mod run;
pub mod tables;
pub mod text;

use longseq_core::{
    ruler::score::round_percent,
    statistics::{Estimate, mean_of},
};

use self::run::{Cell, Run};

/// The mean of some cells, each counting the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean with its interval.
    pub estimate: Estimate,
    /// Cells that have a score.
    pub cells: usize,
    /// Cells there should be.
    pub of: usize,
    /// Whether every sample of every cell has been scored.
    pub complete: bool,
}

impl Mean {
    /// The mean of the `cells` that have a score; `None` where none has.
    pub fn of(cells: &[&Cell]) -> Option<Self> {
        let estimates: Vec<Estimate> = cells.iter().filter_map(|cell| cell.estimate).collect();
        Some(Self {
            estimate: mean_of(&estimates)?,
            cells: estimates.len(),
            of: cells.len(),
            complete: cells.iter().all(|cell| cell.is_complete()),
        })
    }

    /// In percent, rounded as RULER rounds scores.
    pub fn percent(&self) -> f64 {
        round_percent(self.estimate.mean * 100.0)
    }

    /// The mean of means; `None` without any. Missing ones (`None`) make it incomplete.
    pub fn of_means(means: &[Option<Self>]) -> Option<Self> {
        let known: Vec<Self> = means.iter().copied().flatten().collect();
        let estimates: Vec<Estimate> = known.iter().map(|mean| mean.estimate).collect();
        Some(Self {
            estimate: mean_of(&estimates)?,
            cells: known.len(),
            of: means.len(),
            complete: known.len() == means.len() && known.iter().all(|mean| mean.complete),
        })
    }
}

/// The cells of RULER's 13 tasks at a length.
pub fn ruler_cells(run: &Run, length: usize) -> Vec<&Cell> {
    let cells = run.cells.iter().filter(|cell| cell.length == length);
    cells.filter(|cell| cell.name.format_and_depth().is_none()).collect()
}
