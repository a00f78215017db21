//! The paper's protocol: which cells it ran, and how.

use longseq_core::{
    hybrid::config::Family,
    ruler::{
        profile::Profile,
        task::{DEPTH_TASKS, TASKS, Task},
    },
};

use super::{
    figures::{Figures, figures},
    systems::depth_lengths,
};
use crate::{error::Result, score::task_name::TaskName};

/// Samples of each cell. The paper does not say so; its scores are multiples of 0.4 %.
pub const SAMPLES: usize = 250;

/// The seed of the prompts.
pub const SEED: u32 = 42;

/// Whose prompts they were.
pub const PROFILE: Profile = Profile::Huang2025;

/// A part of the study that one run repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Tables 1 and 7 to 19: RULER's 13 tasks at five lengths.
    Tasks,
    /// Tables 2 to 4: one needle at seven depths in three formats.
    Depths,
}

impl Preset {
    /// The tasks, in the order of the fork's configuration.
    pub fn tasks(self) -> Result<Vec<String>> {
        let figures = figures()?;
        let names = |tasks: &[Task], keep: &dyn Fn(&Task) -> bool| {
            tasks.iter().filter(|task| keep(task)).map(|task| task.name.to_owned()).collect()
        };
        Ok(match self {
            Self::Tasks => names(&TASKS, &|_| true),
            Self::Depths => names(&DEPTH_TASKS, &|task| is_published(figures, task)),
        })
    }

    /// The lengths in tokens for a checkpoint of `family`.
    pub fn lengths(self, family: Family) -> Result<Vec<usize>> {
        Ok(match self {
            Self::Tasks => figures()?.lengths.to_vec(),
            Self::Depths => depth_lengths(family),
        })
    }
}

/// Whether tables 2 and 3 have the depth of this task.
fn is_published(figures: &Figures, task: &Task) -> bool {
    let depth = TaskName::parse(task.name).and_then(TaskName::percent);
    depth.is_some_and(|depth| figures.depths.contains(&depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_hold_the_papers_cells() {
        assert_eq!(Preset::Tasks.tasks().unwrap(), TASKS.map(|task| task.name));
        let lengths = Preset::Tasks.lengths(Family::Llama).unwrap();
        assert_eq!(lengths, [1024, 2048, 4096, 8192, 16384]);
        let expected: Vec<String> = ["repeat_numbers", "essay_numbers", "essay_uuids"]
            .iter()
            .flat_map(|format| {
                [0, 20, 40, 50, 60, 80, 100].map(|depth| format!("niah_{format}_{depth}"))
            })
            .collect();
        assert_eq!(Preset::Depths.tasks().unwrap(), expected);
        for (family, lengths) in [
            (Family::Mamba2, &[1024, 2048, 4096][..]),
            (Family::Mamba2Attention, &[1024, 2048, 4096]),
            (Family::TransformerPlusPlus, &[1024, 2048, 4096]),
            (Family::Llama, &[4096, 8192]),
            (Family::RecurrentGemma, &[2048, 4096]),
            (Family::Rwkv6, &[4096, 8192]),
        ] {
            assert_eq!(Preset::Depths.lengths(family).unwrap(), lengths, "{family}");
        }
    }
}
