//! RULER's prompts for a model: the host's side of [`longseq_core::ruler`].
//!
//! A [`Cell`] is a task at a length, a column and row of the paper's tables; a [`Setup`] is what
//! all cells have in common. [`Setup::samples`] makes a cell's samples.

mod buffers;
mod cell;
mod errors;
mod provenance;
mod record;
mod sample;
pub mod write;

use longseq_core::ruler::{budget::Fit, options::Seeding, profile::Profile};

pub use cell::{Cell, LONGEST, cells, tasks};
pub use provenance::{fit_name, seeding_name};
pub use sample::Sizes;

use crate::{
    corpora::Corpora, error::Result, sample::Sample, template::Template, tokenizer::Tokenizer,
};

/// What the cells of a run have in common.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Essays, words and questions.
    pub corpora: &'a Corpora,
    /// Counts the tokens of a prompt.
    pub tokenizer: &'a Tokenizer,
    /// What stands around the task's text.
    pub template: &'a Template,
    /// Whose generator.
    pub profile: Profile,
    /// The run's seed; of RULER's chunk `c` the seed plus `c`.
    pub seed: u32,
    /// Which draws a sample depends on.
    pub seeding: Seeding,
    /// What to do where RULER's smallest haystack is too long.
    pub fit: Fit,
    /// Line feeds and tabs become spaces.
    pub remove_newline_tab: bool,
    /// Samples left out at the start. With [`Seeding::Run`] only questions are left out, as in
    /// RULER's chunks; with [`Seeding::PerSample`] all else too.
    pub pre_samples: usize,
}

impl Setup<'_> {
    /// All samples of a cell, in order. `progress` is called once for each.
    ///
    /// # Errors
    /// The task does not fit the length, a corpus or the tokenizer fails, or there are fewer
    /// questions than samples. Samples made before are lost: they are part of no table.
    pub fn samples(&self, cell: &Cell, progress: &dyn Fn()) -> Result<Vec<Sample>> {
        let mut samples = Vec::with_capacity(cell.num_samples.min(1 << 16));
        self.each_sample(cell, &mut |sample| {
            samples.push(sample);
            progress();
            Ok(())
        })?;
        Ok(samples)
    }
}
