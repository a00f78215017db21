//! What a task's name says: its place in summaries, its metric, its depth.

use std::fmt;

use longseq_core::ruler::{
    score::Metric,
    task::{DEPTH_TASKS, Recipe, TASKS, Task},
};

/// RULER's tasks with one needle: one task in the paper's three formats.
pub const SINGLE_NEEDLES: [&str; 3] = ["niah_single_1", "niah_single_2", "niah_single_3"];

/// Where the needle lies in the haystack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Drawn anew for every sample.
    Random,
    /// At this share of the haystack, in percent.
    Percent(u8),
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

/// The name of a task that can be scored; ordered as summaries list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskName {
    /// One of [`TASKS`], by its place.
    Ruler(usize),
    /// One of [`DEPTH_TASKS`], by its place.
    DepthAblation(usize),
    /// `<task>_depth<percent>`: a needle task of [`TASKS`] with all needles at one depth.
    AtDepth {
        /// The task, by its place.
        task: usize,
        /// The depth in percent.
        percent: u8,
    },
}

impl TaskName {
    /// The task called `name`, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        let place = |tasks: &[Task], name: &str| tasks.iter().position(|task| task.name == name);
        if let Some((task, percent)) = name.split_once("_depth") {
            let task = place(&TASKS, task)?;
            let needle = matches!(TASKS[task].recipe, Recipe::Needle(_));
            let value = percent.parse().ok().filter(|value: &u8| *value <= 100 && needle)?;
            return (value.to_string() == percent)
                .then_some(Self::AtDepth { task, percent: value });
        }
        let depth_task = || place(&DEPTH_TASKS, name).map(Self::DepthAblation);
        place(&TASKS, name).map(Self::Ruler).or_else(depth_task)
    }

    /// How the task is scored.
    pub fn metric(self) -> Metric {
        self.task().metric()
    }

    /// What the haystack and the needle are, and the needle's depth; `None` for RULER's 13.
    pub fn format_and_depth(self) -> Option<(&'static str, Depth)> {
        match self {
            Self::Ruler(_) => None,
            Self::DepthAblation(_) => {
                let (format, depth) = self.task().name.rsplit_once('_')?;
                Some((format, depth.parse().map_or(Depth::Random, Depth::Percent)))
            }
            Self::AtDepth { percent, .. } => Some((self.task().name, Depth::Percent(percent))),
        }
    }

    /// The needle's depth in percent, where it is fixed.
    pub fn percent(self) -> Option<u8> {
        match self.format_and_depth() {
            Some((_, Depth::Percent(percent))) => Some(percent),
            _ => None,
        }
    }

    /// Whether the task as published has another kind of needle than its name says.
    pub fn has_uuid_fault(self) -> bool {
        self.task().has_uuid_fault()
    }

    /// Whether the references are single places in the prompt: needles, or statements of `vt`.
    pub fn hides_needles(self) -> bool {
        matches!(self.task().recipe, Recipe::Needle(_) | Recipe::VariableTracking(_))
    }

    fn task(self) -> &'static Task {
        match self {
            Self::Ruler(task) | Self::AtDepth { task, .. } => &TASKS[task],
            Self::DepthAblation(task) => &DEPTH_TASKS[task],
        }
    }
}
