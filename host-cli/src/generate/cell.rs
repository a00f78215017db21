//! A task at a length.

use longseq_core::ruler::{
    profile::Profile,
    task::{DEPTH_TASKS, Recipe, TASKS, Task},
};

use crate::error::{Error, Result};

/// The longest length that is accepted, in tokens: prompts of this length are held in memory.
pub const LONGEST: usize = 1 << 24;

/// A task at a length.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The task.
    pub task: Task,
    /// All needles at this depth, in percent of the haystack (this project's own extension).
    pub depth: Option<u8>,
    /// Tokens of prompt and answer together.
    pub max_seq_length: usize,
    /// Number of samples.
    pub num_samples: usize,
}

impl Cell {
    /// A cell, checked: [`LONGEST`], and a depth only where there are needles.
    pub fn new(
        task: Task,
        depth: Option<u8>,
        max_seq_length: usize,
        num_samples: usize,
    ) -> Result<Self> {
        if max_seq_length > LONGEST {
            let what = format!("a length of {max_seq_length} tokens is more than {LONGEST}");
            return Err(Error::new(what).help("ask for a shorter length"));
        }
        if let Some(depth) = depth {
            let Recipe::Needle(needle) = task.recipe else {
                return Err(Error::new(format!("{} has no needles to put at a depth", task.name))
                    .help("leave out --depth, or name niah tasks only"));
            };
            if needle.depth.is_some() || depth > 100 {
                let what = format!("{} cannot be put at depth {depth} %", task.name);
                return Err(Error::new(what).help("name a task with needles at random depths"));
            }
        }
        Ok(Self { task, depth, max_seq_length, num_samples })
    }

    /// Name of the cell's folder and row: the task's, with `_depth<PERCENT>` if a depth is set.
    pub fn name(&self) -> String {
        match self.depth {
            None => self.task.name.to_owned(),
            Some(depth) => format!("{}_depth{depth}", self.task.name),
        }
    }
}

/// The tasks that are named, each once, in the order named. `all` is RULER's 13,
/// `depth-ablation` the 36 of profile `huang2025`.
pub fn tasks(profile: Profile, names: &[String], corrected_uuids: bool) -> Result<Vec<Task>> {
    let mut tasks: Vec<Task> = Vec::new();
    for name in names {
        let named: Vec<&str> = match name.as_str() {
            "all" => TASKS.iter().map(|task| task.name).collect(),
            "depth-ablation" => DEPTH_TASKS.iter().map(|task| task.name).collect(),
            name => vec![name],
        };
        for name in named {
            let task = Task::find(profile, name, corrected_uuids)
                .ok_or_else(|| unknown_task(profile, name))?;
            if !tasks.contains(&task) {
                tasks.push(task);
            }
        }
    }
    Ok(tasks)
}

/// Every task at every length and depth, each once, length by length.
pub fn cells(
    tasks: &[Task],
    depths: &[u8],
    lengths: &[usize],
    num_samples: usize,
) -> Result<Vec<Cell>> {
    let depths: Vec<Option<u8>> = match depths {
        [] => vec![None],
        depths => depths.iter().copied().map(Some).collect(),
    };
    let mut cells = Vec::new();
    for &length in lengths {
        for task in tasks {
            for &depth in &depths {
                let cell = Cell::new(*task, depth, length, num_samples)?;
                if !cells.contains(&cell) {
                    cells.push(cell);
                }
            }
        }
    }
    Ok(cells)
}

fn unknown_task(profile: Profile, name: &str) -> Error {
    let is_depth_task = DEPTH_TASKS.iter().any(|task| task.name == name);
    let error = Error::new(format!("profile {profile} has no task {name:?}"));
    if is_depth_task {
        return error.help("it is a task of --profile huang2025");
    }
    let known: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
    error.help(format!("the tasks are: all, {}; huang2025 has depth-ablation", known.join(", ")))
}
