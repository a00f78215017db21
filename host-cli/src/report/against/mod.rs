//! A run's figures beside the published ones of Huang (2025).

mod data;
mod differences;
mod pairs;
mod show;
mod system;

pub use data::{csv, json};
pub use show::tables;

use longseq_core::statistics::Estimate;

use super::{
    Mean,
    run::{Cell, Run},
};
use crate::{
    error::Result,
    paper::{figures::ROUNDING, systems::System},
};

/// What is published of a run's cells.
#[derive(Clone, Debug)]
pub struct Against<'r> {
    /// The run.
    pub run: &'r Run,
    /// Whose figures stand beside its own.
    pub system: &'static System,
    /// The tables, in the paper's order.
    pub groups: Vec<Group<'r>>,
    /// What must be known of all of them: which system and why, and what was done otherwise.
    pub notes: Vec<String>,
}

/// One table: figures of ours and of the paper.
#[derive(Clone, Debug, Default)]
pub struct Group<'r> {
    /// What it shows.
    pub title: String,
    /// What its first column names.
    pub first_column: &'static str,
    /// The figures.
    pub pairs: Vec<Pair<'r>>,
    /// What must be known of this table.
    pub notes: Vec<String>,
}

/// A published figure, and ours.
#[derive(Clone, Debug)]
pub struct Pair<'r> {
    /// The paper's number of the table.
    pub table: usize,
    /// Its row in our table.
    pub row: String,
    /// Sequence length in tokens; `None` for the average over all.
    pub length: Option<usize>,
    /// The task, the format of a depth task, or what the mean is over.
    pub what: String,
    /// The needle's depth in percent; `None` where there is none, and for the average over all.
    pub depth: Option<u8>,
    /// Ours.
    pub ours: Ours<'r>,
    /// The paper's in percent; `None` where it cannot be read.
    pub published: Option<f64>,
    /// Whether `published` is what is printed, or what follows from the paper's other figures.
    pub printed: bool,
}

/// A figure of ours.
#[derive(Clone, Copy, Debug)]
pub enum Ours<'r> {
    /// Of one cell.
    Cell(&'r Cell),
    /// Of several.
    Mean(Option<Mean>),
}

impl<'r> Against<'r> {
    /// Finds the published figures of a run, those of the system named `system` if any.
    pub fn new(run: &'r Run, system: Option<&str>) -> Result<Self> {
        let (system, reason) = system::find(run, system)?;
        let groups = pairs::groups(run, system)?;
        let mut notes = vec![reason];
        notes.extend(differences::notes(run, system));
        let mut against = Self { run, system, groups, notes };
        against.notes.push(match against.groups.is_empty() {
            true => "no cell of this run has a published figure".to_owned(),
            false => against.legend(),
        });
        Ok(against)
    }

    /// All of its figures.
    fn pairs(&self) -> impl Iterator<Item = &Pair<'r>> {
        self.groups.iter().flat_map(|group| &group.pairs)
    }

    /// Printed figures that have one of ours beside them, and how many of them lie outside of the
    /// interval of ours.
    pub fn counts(&self) -> (usize, usize) {
        let printed = self.pairs().filter(|pair| pair.printed);
        let marks: Vec<bool> = printed.filter_map(Pair::is_outside).collect();
        (marks.len(), marks.iter().filter(|&&outside| outside).count())
    }
}

impl Pair<'_> {
    /// Ours less the published figure, in percentage points.
    pub fn difference(&self) -> Option<f64> {
        let hundredths = (self.ours.percent()? - self.published?) * 100.0;
        // No -0.0.
        Some(hundredths.round() / 100.0 + 0.0)
    }

    /// Whether the published figure, whatever it was rounded from, lies outside of the 95 %
    /// interval of ours.
    pub fn is_outside(&self) -> Option<bool> {
        let (Estimate { low, high, .. }, published) = (self.ours.estimate()?, self.published?);
        let (low, high) = (low * 100.0 - ROUNDING, high * 100.0 + ROUNDING);
        Some(!(low..=high).contains(&published))
    }
}

impl Ours<'_> {
    /// In percent, rounded as reports do.
    pub fn percent(&self) -> Option<f64> {
        match self {
            Self::Cell(cell) => cell.percent,
            Self::Mean(mean) => mean.map(|mean| mean.percent()),
        }
    }

    /// With its interval.
    pub fn estimate(&self) -> Option<Estimate> {
        match self {
            Self::Cell(cell) => cell.estimate,
            Self::Mean(mean) => mean.map(|mean| mean.estimate),
        }
    }

    /// Whether every sample of every cell has been scored.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Cell(cell) => cell.is_complete(),
            Self::Mean(mean) => mean.is_some_and(|mean| mean.complete),
        }
    }
}
