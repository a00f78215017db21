//! The study of Huang (2025) on models that run anywhere: which models, which cells.
//!
//! Each model has two runs, which are those of `longseq run`: RULER's tasks over a ladder of lengths, from half the training
//! length of the built-in models to eight times it, and single needles at fixed depths, at half, once and twice it. Then
//! some needles are probed, as `longseq probe` does.

pub mod estimate;
pub mod own;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use longseq_core::ruler::task::TASKS;

use crate::{probe::PROBES, score::task_name::SINGLE_NEEDLES};

/// How much is studied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Samples of each cell.
    pub samples: usize,
    /// Lengths of [`Part::Tasks`], in tokens.
    pub lengths: &'static [usize],
    /// Lengths of [`Part::Depths`], in tokens.
    pub depth_lengths: &'static [usize],
    /// Depths, in percent.
    pub depths: &'static [u8],
    /// Samples probed at each depth.
    pub probed: usize,
}

/// All of it.
pub const FULL: Extent = Extent {
    samples: 50,
    lengths: &[256, 512, 1024, 2048, 4096],
    depth_lengths: &[256, 512, 1024],
    depths: &[0, 20, 40, 50, 60, 80, 100],
    probed: 8,
};

/// `--quick`.
pub const QUICK: Extent = Extent {
    samples: 8,
    lengths: &[256, 512, 1024, 2048],
    depth_lengths: &[512, 1024],
    depths: &[0, 50, 100],
    probed: 2,
};

/// The built-in models' training length, in tokens: the length at which needles are probed.
const PROBED_LENGTH: usize = 512;

/// The task that is probed.
const PROBED_TASK: &str = "niah_single_2";

/// A run of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The paper's tables 1 and 7 to 19.
    Tasks,
    /// Its tables 2 to 4.
    Depths,
}

impl Part {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Tasks, Self::Depths];

    /// The name of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Depths => "depths",
        }
    }

    /// Lengths in tokens, and the number of cells at each.
    pub const fn lengths(self, extent: &Extent) -> (&'static [usize], usize) {
        match self {
            Self::Tasks => (extent.lengths, TASKS.len()),
            Self::Depths => (extent.depth_lengths, SINGLE_NEEDLES.len() * extent.depths.len()),
        }
    }
}

/// A model of the study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name of its folders.
    pub name: String,
    /// Its checkpoint.
    pub checkpoint: PathBuf,
}

impl Model {
    /// The folder of a run.
    pub fn run(&self, study: &Path, part: Part) -> PathBuf {
        study.join("runs").join(format!("{}-{}", self.name, part.name()))
    }

    /// The file of its probes, where reports look for it.
    pub fn probes(&self, study: &Path) -> PathBuf {
        self.run(study, Part::Depths).join(PROBES)
    }

    /// What `longseq run` is asked for.
    pub fn run_command(
        &self,
        study: &Path,
        part: Part,
        extent: &Extent,
        seed: u32,
    ) -> Vec<OsString> {
        let (lengths, _) = part.lengths(extent);
        let mut command = self.command("run", seed);
        let samples = extent.samples.to_string();
        let options = ["--lengths", &list(lengths), "--samples", &samples, "--tasks"];
        command.extend(options.map(OsString::from));
        match part {
            Part::Tasks => command.push("all".into()),
            Part::Depths => {
                let options = [&SINGLE_NEEDLES.join(","), "--depth", &list(extent.depths)];
                command.extend(options.map(OsString::from));
            }
        }
        command.extend(["--out".into(), self.run(study, part).into()]);
        command
    }

    /// What `longseq probe` is asked for.
    pub fn probe_command(&self, extent: &Extent, seed: u32) -> Vec<OsString> {
        let (length, samples) = (PROBED_LENGTH.to_string(), extent.probed.to_string());
        let depths = list(extent.depths);
        let options =
            ["--length", &length, "--task", PROBED_TASK, "--samples", &samples, "--depth", &depths];
        let mut command = self.command("probe", seed);
        command.extend(options.map(OsString::from));
        command.push("--json".into());
        command
    }

    fn command(&self, name: &str, seed: u32) -> Vec<OsString> {
        let seed = seed.to_string();
        let options = ["longseq", name, "--profile", "mini", "--seed", &seed, "--model"];
        let options = options.map(OsString::from);
        options.into_iter().chain([self.checkpoint.clone().into()]).collect()
    }
}

fn list(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
