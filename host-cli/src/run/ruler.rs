//! RULER's generators as the source of a run's samples.

use std::collections::HashMap;

use longseq_core::ruler::{profile::Profile, task::Recipe};

use super::encode::{Protocol, Source};
use crate::{
    error::{Error, Result},
    generate::{self, Setup},
    plan::Cell,
    sample::Sample,
};

/// Generates the samples of a plan's cells.
#[derive(Debug)]
pub struct Ruler<'a> {
    setup: Setup<'a>,
    cells: HashMap<Cell, generate::Cell>,
}

impl<'a> Ruler<'a> {
    /// A source of the samples of `cells`.
    pub fn new(setup: Setup<'a>, cells: Vec<generate::Cell>) -> Self {
        let named =
            |cell: generate::Cell| (Cell { length: cell.max_seq_length, task: cell.name() }, cell);
        Self { setup, cells: cells.into_iter().map(named).collect() }
    }

    fn cell(&self, cell: &Cell) -> Result<&generate::Cell> {
        self.cells.get(cell).ok_or_else(|| Error::new(format!("{cell}: not a cell of this run")))
    }
}

impl Source for Ruler<'_> {
    fn protocol(&self, cell: &Cell) -> Result<Protocol> {
        let cell = self.cell(cell)?;
        let tokens_to_generate = cell.task.tokens_to_generate(self.setup.profile);
        // The fork's fwe fills the whole length with the prompt.
        let fills_all =
            self.setup.profile == Profile::Huang2025 && cell.task.recipe == Recipe::FrequentWords;
        let beyond = if fills_all { tokens_to_generate } else { 0 };
        Ok(Protocol {
            tokens_to_generate,
            metric: cell.task.metric(),
            limit: cell.max_seq_length + beyond,
        })
    }

    fn samples(&self, cell: &Cell) -> Result<Vec<Sample>> {
        self.setup.samples(self.cell(cell)?, &|| {})
    }
}
