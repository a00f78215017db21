//! What a task's name says: its place in RULER's tables, its metric, its depth.

use std::fmt;

use longseq_core::ruler::score::Metric;

/// RULER's 13 tasks in the order of its `synthetic.yaml`.
pub const RULER_TASKS: [&str; 13] = [
    "niah_single_1",
    "niah_single_2",
    "niah_single_3",
    "niah_multikey_1",
    "niah_multikey_2",
    "niah_multikey_3",
    "niah_multivalue",
    "niah_multiquery",
    "vt",
    "cwe",
    "fwe",
    "qa_1",
    "qa_2",
];

/// The formats of the depth ablation of Huang (2025), in the order of its
/// `niah_depth_ablation.yaml`.
const DEPTH_FORMATS: [&str; 3] = ["niah_repeat_numbers", "niah_essay_numbers", "niah_essay_uuids"];

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

/// A known task; ordered as summaries list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskName {
    /// One of [`RULER_TASKS`], by its place.
    Ruler(usize),
    /// `<format>_<depth>`, one of the 36 tasks of the paper's depth ablation.
    DepthAblation {
        /// The format, by its place.
        format: usize,
        /// The depth: random, 0, 10, …, 100.
        depth: Depth,
    },
    /// `<niah task>_depth<percent>`: one of [`RULER_TASKS`] with all needles at one depth.
    AtDepth {
        /// The task, by its place.
        task: usize,
        /// The depth.
        depth: Depth,
    },
}

impl TaskName {
    /// The task called `name`, if it is one that can be scored.
    pub fn parse(name: &str) -> Option<Self> {
        let place = |names: &[&str], name: &str| names.iter().position(|&known| known == name);
        if let Some(task) = place(&RULER_TASKS, name) {
            return Some(Self::Ruler(task));
        }
        if let Some((task, depth)) = name.split_once("_depth") {
            let task = place(&RULER_TASKS, task).filter(|_| task.starts_with("niah"))?;
            return Some(Self::AtDepth { task, depth: percent(depth)? });
        }
        let (format, depth) = name.rsplit_once('_')?;
        let format = place(&DEPTH_FORMATS, format)?;
        let depth = if depth == "random" { Depth::Random } else { percent(depth)? };
        Some(Self::DepthAblation { format, depth })
    }

    /// How the task is scored.
    pub fn metric(self) -> Metric {
        match self {
            Self::Ruler(task) if RULER_TASKS[task].starts_with("qa") => Metric::StringMatchPart,
            _ => Metric::StringMatchAll,
        }
    }

    /// The needle's depth and the name of the task without it; `None` for tasks of table 1.
    pub fn depth(self) -> Option<(&'static str, Depth)> {
        match self {
            Self::Ruler(_) => None,
            Self::DepthAblation { format, depth } => Some((DEPTH_FORMATS[format], depth)),
            Self::AtDepth { task, depth } => Some((RULER_TASKS[task], depth)),
        }
    }
}

/// A whole number of percent as file names spell it.
fn percent(text: &str) -> Option<Depth> {
    let percent = text.parse().ok().filter(|percent: &u8| *percent <= 100)?;
    (percent.to_string() == text).then_some(Depth::Percent(percent))
}
