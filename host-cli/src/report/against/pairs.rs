//! Which cells of a run the paper has figures for, table by table.

use longseq_core::ruler::task::TASKS;

use super::{
    super::{
        Mean, ruler_cells,
        run::{Cell, Run},
    },
    Group, Ours, Pair,
};
use crate::{
    error::Result,
    paper::{
        figures::{DepthTable, Figures, Published, figures},
        systems::System,
    },
    score::task_name::{Depth, TaskName},
};

/// A run, a system and what is published of it.
struct Sides<'r> {
    run: &'r Run,
    system: &'static System,
    figures: &'static Figures,
}

/// The tables that have a figure on both sides, in the paper's order.
pub fn groups<'r>(run: &'r Run, system: &'static System) -> Result<Vec<Group<'r>>> {
    let sides = Sides { run, system, figures: figures()? };
    let by_depth = DepthTable::ALL.map(|table| sides.means_by_depth(table));
    let by_format = run.lengths().into_iter().map(|length| sides.formats(length));
    let tasks = sides.figures.lengths.iter().map(|&length| sides.tasks(length));
    let groups = [sides.means()].into_iter().chain(by_depth).chain(by_format).chain(tasks);
    Ok(groups.filter(|group| !group.pairs.is_empty()).collect())
}

impl<'r> Sides<'r> {
    /// Table 1, at the lengths where the run has all 13 tasks.
    fn means(&self) -> Group<'r> {
        let mean = |length: &usize| {
            let cells = ruler_cells(self.run, *length);
            (cells.len() == TASKS.len()).then(|| (*length, whole(Mean::of(&cells))))
        };
        let means: Vec<(usize, Option<Mean>)> =
            self.figures.lengths.iter().filter_map(mean).collect();
        let what = format!("mean of {} tasks", TASKS.len());
        let pair = |row: String, length: Option<usize>, ours: Option<Mean>, published| Pair {
            length,
            ours: Ours::Mean(ours),
            ..pair(1, row, &what, published)
        };
        let mut pairs: Vec<_> = means
            .iter()
            .map(|&(length, mean)| {
                let published = self.figures.mean(self.system.name, length);
                pair(length.to_string(), Some(length), mean, published)
            })
            .collect();
        if means.len() == self.figures.lengths.len() {
            let means: Vec<_> = means.iter().map(|&(_, mean)| mean).collect();
            let published = self.figures.average(self.system.name);
            let average = whole(Mean::of_means(&means));
            pairs.push(pair("average".to_owned(), None, average, published));
        }
        self.group("table 1, mean of 13 tasks by length", "length", pairs)
    }

    /// Table 2 or 3, if the run has depth tasks at its length.
    fn means_by_depth(&self, table: DepthTable) -> Group<'r> {
        let (number, lengths) = (table.number(), self.system.depth_lengths);
        let length = lengths.tokens[number - 2];
        let mut means = Vec::new();
        let mut group = self.group(
            &format!("table {number}, mean of three formats by depth at {length} tokens"),
            "depth",
            Vec::new(),
        );
        for depth in self.figures.depths {
            let cells = self.depth_cells(length, depth);
            if cells.len() < self.figures.formats().len() {
                continue;
            }
            let mean = whole(Mean::of(&cells));
            means.push(mean);
            let published = self.figures.at_depth(table, self.system.name, depth, length);
            group.add_published(number, Some(length), Some(depth), mean, published);
        }
        if means.len() == self.figures.depths.len() {
            let published = self.figures.depth_average(table, self.system.name);
            let mean = whole(Mean::of_means(&means));
            group.add_published(number, Some(length), None, mean, published);
        }
        if !means.is_empty() {
            group.notes.push(lengths.evidence.to_owned());
        }
        group
    }

    /// Table 4 at one length.
    fn formats(&self, length: usize) -> Group<'r> {
        let cells = self.run.cells.iter().filter(|cell| cell.length == length);
        let pairs = cells.filter_map(|cell| {
            let (format, depth) = format_and_depth(cell)?;
            let published = self.figures.format(self.system.name, format, length, depth)?;
            Some(Pair {
                length: Some(length),
                depth: Some(depth),
                ours: Ours::Cell(cell),
                ..pair(4, cell.task.clone(), format, Some(published))
            })
        });
        let title = format!("table 4, format and depth at {length} tokens");
        self.group(&title, "task", pairs.collect())
    }

    /// Tables 7 to 19 at one length.
    fn tasks(&self, length: usize) -> Group<'r> {
        let pairs = ruler_cells(self.run, length).into_iter().filter_map(|cell| {
            let place = TASKS.iter().position(|task| task.name == cell.task)?;
            let published = self.figures.task(self.system.name, &cell.task, length);
            Some(Pair {
                length: Some(length),
                ours: Ours::Cell(cell),
                ..pair(7 + place, cell.task.clone(), &cell.task, published)
            })
        });
        self.group(&format!("tables 7 to 19, tasks at {length} tokens"), "task", pairs.collect())
    }

    fn group(&self, what: &str, first_column: &'static str, pairs: Vec<Pair<'r>>) -> Group<'r> {
        let (run, system) = (&self.run.name, self.system.name);
        let title = format!("{run} against {system} in Huang (2025), {what}: score in %");
        let unread = pairs.iter().any(|pair| pair.published.is_none());
        let unread = unread.then(|| "– under paper: not readable in the copy that the figures were taken from".to_owned());
        Group { title, first_column, pairs, notes: unread.into_iter().collect() }
    }

    /// The cells of the paper's formats at a length and depth.
    fn depth_cells(&self, length: usize, depth: u8) -> Vec<&'r Cell> {
        let at = |cell: &&Cell| {
            let is_published = |(format, at)| {
                at == depth && self.figures.formats().any(|published| published == format)
            };
            cell.length == length && format_and_depth(cell).is_some_and(is_published)
        };
        self.run.cells.iter().filter(at).collect()
    }
}

impl Group<'_> {
    /// Adds a printed mean by depth (`None`: the average), and what it should be if that differs.
    fn add_published(
        &mut self,
        table: usize,
        length: Option<usize>,
        depth: Option<u8>,
        ours: Option<Mean>,
        published: Option<Published>,
    ) {
        let row = depth.map_or("average".to_owned(), |depth| Depth::Percent(depth).to_string());
        let pair = |row: String, published| Pair {
            length,
            depth,
            ours: Ours::Mean(ours),
            ..pair(table, row, "mean of 3 formats", published)
        };
        self.pairs.push(pair(row.clone(), published.map(|published| published.printed)));
        let Some(Published { printed, recomputed: Some(recomputed) }) = published else { return };
        let from = if depth.is_some() { "the figures of table 4" } else { "its own row" };
        self.notes.push(format!(
            "{row}: the paper prints {printed:.2}, the mean of {from} is {recomputed:.2}"
        ));
        let recomputed = pair(format!("{row}, recomputed"), Some(recomputed));
        self.pairs.push(Pair { printed: false, ..recomputed });
    }
}

/// A mean over fewer than it should be over is no match for a published one.
fn whole(mean: Option<Mean>) -> Option<Mean> {
    mean.filter(|mean| mean.cells == mean.of)
}

/// A pair without length, depth and figure of ours.
fn pair<'r>(table: usize, row: String, what: &str, published: Option<f64>) -> Pair<'r> {
    let (what, ours) = (what.to_owned(), Ours::Mean(None));
    Pair { table, row, length: None, what, depth: None, ours, published, printed: true }
}

/// Format and depth of a task of the paper's depth ablation.
fn format_and_depth(cell: &Cell) -> Option<(&'static str, u8)> {
    match (cell.name, cell.name.format_and_depth()?) {
        (TaskName::DepthAblation(_), (format, Depth::Percent(depth))) => Some((format, depth)),
        _ => None,
    }
}
