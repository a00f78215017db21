//! What `--preset` and the options beside it come to.

use longseq_core::{hybrid::config::Family, ruler::profile::Profile};

use crate::{
    args::run::RunArgs,
    error::Result,
    paper::preset::{self, Preset},
};

/// Which cells are run. An option that was given goes before the preset's choice.
#[derive(Debug)]
pub struct Chosen {
    /// Names of the tasks.
    pub tasks: Vec<String>,
    /// Lengths in tokens.
    pub lengths: Vec<usize>,
    /// Samples of each cell.
    pub samples: usize,
    /// Whose prompts.
    pub profile: Profile,
}

impl Chosen {
    /// What `args` say for a checkpoint of `family`.
    pub fn new(args: &RunArgs, family: Family) -> Result<Self> {
        let mut chosen = Self {
            tasks: args.tasks.clone(),
            lengths: args.lengths.clone(),
            samples: args.samples.unwrap_or(500),
            profile: args.profile.map_or(Profile::Ruler, Profile::from),
        };
        let Some(preset) = args.preset.map(Preset::from) else { return Ok(chosen) };
        if args.tasks.is_empty() {
            chosen.tasks = preset.tasks()?;
        }
        if args.lengths.is_empty() {
            chosen.lengths = preset.lengths(family)?;
        }
        chosen.samples = args.samples.unwrap_or(preset::SAMPLES);
        chosen.profile = args.profile.map_or(preset::PROFILE, Profile::from);
        Ok(chosen)
    }
}
