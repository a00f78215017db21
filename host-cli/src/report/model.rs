//! Models: all runs of one checkpoint that differ in nothing but their cells.

use std::collections::{BTreeMap, BTreeSet};

use longseq_core::hybrid::config::{Family, Kind};

use super::{
    Mean,
    provenance::model_name,
    run::{Cell, Run},
};
use crate::{
    paper::systems::SYSTEMS,
    score::task_name::{Depth, TaskName},
};

/// A model with everything that was run of it.
#[derive(Clone, Debug)]
pub struct Model<'r> {
    /// What figures call it: the name on its card, or that of its folder.
    pub name: String,
    /// What mixes its tokens; `None` where the plan does not say.
    pub kind: Option<Kind>,
    /// Tokens of the sequences it was trained on, where that is known.
    pub training_length: Option<usize>,
    /// Its runs.
    pub runs: Vec<&'r Run>,
    /// The cells of all of them; of the same one in two runs the fuller.
    pub cells: Vec<&'r Cell>,
}

/// A cell with a needle at a fixed depth: its format, the depth in percent, the cell.
pub type AtDepth<'r> = (&'static str, u8, &'r Cell);

/// What runs of one model have in common: these values of their plans.
const SETTING: [&str; 7] = [
    "/checkpoint/sha256",
    "/quirks",
    "/precision",
    "/backend",
    "/profile",
    "/template/text",
    "/seed",
];

/// The models of `runs`, in the order of their first runs. `training_length` is that of models which
/// do not tell their own.
pub fn models(runs: &[Run], training_length: Option<usize>) -> Vec<Model<'_>> {
    let mut groups: Vec<(Vec<String>, Vec<&Run>)> = Vec::new();
    for run in runs {
        let setting = setting(run);
        match groups.iter_mut().find(|(of, _)| *of == setting) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((setting, vec![run])),
        }
    }
    let mut models: Vec<Model<'_>> =
        groups.into_iter().map(|(_, runs)| Model::new(runs, training_length)).collect();
    let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
    for model in &mut models {
        // One checkpoint in two settings.
        if names.iter().filter(|name| **name == model.name).count() > 1 {
            model.name += &format!(" ({})", model.runs[0].name);
        }
    }
    models
}

/// A run without a checkpoint's hash stands for itself.
fn setting(run: &Run) -> Vec<String> {
    let value = |pointer: &&str| run.planned(pointer).map_or_else(String::new, ToString::to_string);
    let mut setting: Vec<String> = SETTING.iter().map(value).collect();
    if setting[0].is_empty() {
        setting.push(run.name.clone());
    }
    setting
}

impl<'r> Model<'r> {
    fn new(runs: Vec<&'r Run>, training_length: Option<usize>) -> Self {
        let card = runs.iter().find_map(|run| run.plan.beside.card.as_ref());
        let folder = model_name(runs[0]);
        let family = runs[0].planned("/checkpoint/family").and_then(|family| family.as_str());
        let family = Family::ALL.into_iter().find(|of| Some(of.name()) == family);
        let published = folder.as_deref().and_then(published_training_length);
        let mut cells: BTreeMap<(usize, TaskName), &Cell> = BTreeMap::new();
        for cell in runs.iter().flat_map(|run| &run.cells) {
            let kept = cells.entry((cell.length, cell.name)).or_insert(cell);
            if cell.scored > kept.scored {
                *kept = cell;
            }
        }
        Self {
            name: card
                .and_then(|card| card.name.clone())
                .or(folder)
                .unwrap_or_else(|| runs[0].name.clone()),
            kind: family.map(Family::kind),
            training_length: card
                .and_then(|card| card.training_length)
                .or(published)
                .or(training_length),
            cells: cells.into_values().collect(),
            runs,
        }
    }

    /// Lengths at which any of RULER's 13 tasks has a score.
    pub fn lengths(&self) -> BTreeSet<usize> {
        let scored = self.cells.iter().filter(|cell| cell.scored > 0);
        scored
            .filter(|cell| cell.name.format_and_depth().is_none())
            .map(|cell| cell.length)
            .collect()
    }

    /// RULER's tasks at a length, by name.
    pub fn tasks(&self, length: usize) -> Vec<&'r Cell> {
        let at = |cell: &&&Cell| cell.length == length && cell.name.format_and_depth().is_none();
        self.cells.iter().filter(at).copied().collect()
    }

    /// The mean over RULER's tasks at a length.
    pub fn mean(&self, length: usize) -> Option<Mean> {
        Mean::of(&self.tasks(length))
    }

    /// The mean over the tasks of `names` at a length, if all of them have a score.
    pub fn mean_over(&self, names: &[TaskName], length: usize) -> Option<Mean> {
        let cells: Vec<&Cell> =
            self.tasks(length).into_iter().filter(|cell| names.contains(&cell.name)).collect();
        Mean::of(&cells).filter(|mean| mean.cells == names.len())
    }

    /// The cell of a task at a length, if it has a score.
    pub fn cell(&self, length: usize, name: TaskName) -> Option<&'r Cell> {
        let at = |cell: &&&Cell| cell.length == length && cell.name == name && cell.scored > 0;
        self.cells.iter().find(at).copied()
    }

    /// Cells with a needle at a fixed depth that have a score.
    pub fn at_depths(&self, length: usize) -> Vec<AtDepth<'r>> {
        let fixed = |cell: &&'r Cell| match cell.name.format_and_depth() {
            Some((format, Depth::Percent(depth))) if cell.length == length && cell.scored > 0 => {
                Some((format, depth, *cell))
            }
            _ => None,
        };
        self.cells.iter().filter_map(fixed).collect()
    }

    /// Lengths at which needles were put at depths.
    pub fn depth_lengths(&self) -> BTreeSet<usize> {
        let lengths: BTreeSet<usize> = self.cells.iter().map(|cell| cell.length).collect();
        lengths.into_iter().filter(|&length| !self.at_depths(length).is_empty()).collect()
    }

    /// The mean over the formats at a depth.
    pub fn depth_mean(&self, length: usize, depth: u8) -> Option<Mean> {
        let cells: Vec<&Cell> = self
            .at_depths(length)
            .into_iter()
            .filter(|(_, at, _)| *at == depth)
            .map(|(_, _, cell)| cell)
            .collect();
        Mean::of(&cells)
    }
}

/// The training length of a checkpoint of the paper's, by the name of its folder.
fn published_training_length(folder: &str) -> Option<usize> {
    let published = |checkpoint: &str| {
        checkpoint.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case(folder))
    };
    SYSTEMS.iter().find(|system| published(system.checkpoint)).map(|system| system.trained_at)
}
