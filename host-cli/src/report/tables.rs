//! The paper's tables: task × length, run × length, depth × format, depth × run.

use std::collections::BTreeSet;

use longseq_core::statistics::Estimate;

use super::{
    Mean, mini, ruler_cells,
    run::{Cell, Run},
};
use crate::{score::task_name::Depth, table::Table};

/// A table under its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Titled {
    /// What it shows.
    pub title: String,
    /// The table.
    pub table: Table,
}

/// How cells are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Put a bar in front of every score, as high as the score.
    pub bars: bool,
}

/// Every table that the runs can fill, and what profile `mini` has smaller if one of them has it.
pub fn tables(runs: &[Run], style: Style) -> Vec<Titled> {
    let mut tables: Vec<Titled> =
        runs.iter().filter_map(|run| tasks_by_length(run, style)).collect();
    if runs.len() > 1 {
        tables.extend(models_by_length(runs, style));
    }
    for length in all_lengths(runs) {
        tables.extend(runs.iter().filter_map(|run| depth_by_format(run, length, style)));
        tables.extend(depth_by_model(runs, length, style));
    }
    tables.extend(mini::titled(runs));
    tables
}

/// Tables 7 to 19 of the paper in one: a run's tasks by length, and their mean (table 1).
fn tasks_by_length(run: &Run, style: Style) -> Option<Titled> {
    let lengths = run.lengths();
    let columns: Vec<Vec<&Cell>> = lengths.iter().map(|&at| ruler_cells(run, at)).collect();
    let names: BTreeSet<_> = columns.iter().flatten().map(|cell| (cell.name, &cell.task)).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, task) in &names {
        let cell = |column: &Vec<&Cell>| {
            column.iter().find(|cell| cell.name == *name).map_or_else(dash, |cell| style.cell(cell))
        };
        rows.push(row(task, columns.iter().map(cell)));
    }
    if rows.is_empty() {
        return None;
    }
    let title = match names.len() {
        1 => "mean".to_owned(),
        tasks => format!("mean of {tasks} tasks"),
    };
    rows.push(row(&title, columns.iter().map(|column| style.mean(Mean::of(column)))));
    let header = row("task", lengths.iter().map(usize::to_string));
    let title = format!("{}: score in % by task and length in tokens", run.name);
    Some(Titled { title, table: Table { header, rows } })
}

/// Table 1: the mean over RULER's tasks by model and length, and over the lengths.
fn models_by_length(runs: &[Run], style: Style) -> Option<Titled> {
    let lengths = all_lengths(runs);
    let rows: Vec<_> = runs
        .iter()
        .filter_map(|run| {
            let mean = |&length| Mean::of(&ruler_cells(run, length));
            let means: Vec<Option<Mean>> = lengths.iter().map(mean).collect();
            let average = Mean::of_means(&means)?;
            let cells = means.into_iter().chain([Some(average)]).map(|mean| style.mean(mean));
            Some(row(&run.name, cells))
        })
        .collect();
    let header = lengths.iter().map(usize::to_string).chain(["average".to_owned()]);
    (!rows.is_empty()).then(|| Titled {
        title: "Mean over RULER's tasks in % by run and length in tokens".to_owned(),
        table: Table { header: row("run", header), rows },
    })
}

/// Tables 2 to 4: a run's scores by depth and format at one length, the mean of the formats, and
/// averages over the fixed depths.
fn depth_by_format(run: &Run, length: usize, style: Style) -> Option<Titled> {
    let mut formats: Vec<&'static str> = Vec::new();
    for cell in depth_cells(run, length, |_, _| true) {
        let format = cell.name.format_and_depth().map(|(format, _)| format);
        formats.extend(format.filter(|format| !formats.contains(format)));
    }
    let several = formats.len() > 1;
    let mut rows: Vec<_> = depths(run, length)
        .iter()
        .map(|&depth| {
            let cells = formats.iter().map(|&format| {
                let cells = depth_cells(run, length, |of, at| of == format && at == depth);
                cells.first().map_or_else(dash, |cell| style.cell(cell))
            });
            let mean = several.then(|| style.mean(depth_mean(run, length, depth)));
            row(&depth.to_string(), cells.chain(mean))
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let averages = formats.iter().map(|&format| {
        let fixed = |of: &str, at| of == format && at != Depth::Random;
        style.mean(Mean::of(&depth_cells(run, length, fixed)))
    });
    let average = several.then(|| style.mean(depth_average(run, length)));
    rows.push(row("average", averages.chain(average)));
    let header = formats.iter().copied().chain(several.then_some("mean")).map(str::to_owned);
    let title = format!("{}: score in % by depth and format at {length} tokens", run.name);
    Some(Titled { title, table: Table { header: row("depth", header), rows } })
}

/// Tables 2 and 3, side by side: the means of the formats by depth and run at one length.
fn depth_by_model(runs: &[Run], length: usize, style: Style) -> Option<Titled> {
    let runs: Vec<&Run> = runs.iter().filter(|run| !depths(run, length).is_empty()).collect();
    let depths: BTreeSet<Depth> = runs.iter().flat_map(|run| depths(run, length)).collect();
    let mut rows: Vec<_> = depths
        .into_iter()
        .map(|depth| {
            let means = runs.iter().map(|run| style.mean(depth_mean(run, length, depth)));
            row(&depth.to_string(), means)
        })
        .collect();
    rows.push(row("average", runs.iter().map(|run| style.mean(depth_average(run, length)))));
    let header = row("depth", runs.iter().map(|run| run.name.clone()));
    (runs.len() > 1).then(|| Titled {
        title: format!("Score in % by depth and run at {length} tokens, mean of the formats"),
        table: Table { header, rows },
    })
}

/// The mean over the formats at one depth.
fn depth_mean(run: &Run, length: usize, depth: Depth) -> Option<Mean> {
    Mean::of(&depth_cells(run, length, |_, at| at == depth))
}

/// The mean over the fixed depths of the means over the formats.
fn depth_average(run: &Run, length: usize) -> Option<Mean> {
    let depths = depths(run, length);
    let fixed = depths.into_iter().filter(|depth| *depth != Depth::Random);
    Mean::of_means(&fixed.map(|depth| depth_mean(run, length, depth)).collect::<Vec<_>>())
}

/// The cells of `run` at `length` with a needle whose format and depth are as `wanted`.
fn depth_cells(run: &Run, length: usize, wanted: impl Fn(&str, Depth) -> bool) -> Vec<&Cell> {
    let cells = run.cells.iter().filter(|cell| cell.length == length);
    let wanted = |cell: &&Cell| cell.name.format_and_depth().is_some_and(|(f, d)| wanted(f, d));
    cells.filter(wanted).collect()
}

fn depths(run: &Run, length: usize) -> BTreeSet<Depth> {
    let cells = depth_cells(run, length, |_, _| true);
    cells.iter().filter_map(|cell| Some(cell.name.format_and_depth()?.1)).collect()
}

fn all_lengths(runs: &[Run]) -> BTreeSet<usize> {
    runs.iter().flat_map(Run::lengths).collect()
}

/// A row: what it is, then its cells.
pub fn row(first: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    [first.to_owned()].into_iter().chain(cells).collect()
}

/// What stands where there is nothing.
pub fn dash() -> String {
    "–".to_owned()
}

impl Style {
    /// `38.52 [32.7, 44.7]`, and `120/250, 2 failed` where samples are missing.
    pub fn cell(self, cell: &Cell) -> String {
        let score = cell.percent.zip(cell.estimate);
        let mut text = score.map_or_else(dash, |(percent, of)| self.score(percent, of));
        if !cell.is_complete() {
            text += &format!(" {}/{}", cell.scored, cell.planned);
        }
        if cell.failed > 0 {
            text += &format!(", {} failed", cell.failed);
        }
        text
    }

    /// `38.52 [36.7, 40.4]`, with `*` where something is missing.
    pub fn mean(self, mean: Option<Mean>) -> String {
        mean.map_or_else(dash, |mean| {
            let missing = if mean.complete { "" } else { " *" };
            self.score(mean.percent(), mean.estimate) + missing
        })
    }

    fn score(self, percent: f64, Estimate { low, high, .. }: Estimate) -> String {
        let bar = if self.bars { bar(percent) } else { String::new() };
        format!("{bar}{percent:.2} [{:.1}, {:.1}]", low * 100.0, high * 100.0)
    }
}

/// A block whose height says how large `percent` is, and a space.
fn bar(percent: f64) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    // Eight steps; 100 % is the last one.
    let step = (percent / 12.5) as usize;
    format!("{} ", BLOCKS[step.min(BLOCKS.len() - 1)])
}
