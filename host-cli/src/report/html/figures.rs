//! The figures of the report, in their order.

use longseq_core::ruler::task::TASKS;

use super::{
    super::{
        by_length::{by_length, table_1},
        model::Model,
        tables::{Style, dash},
    },
    cost,
    depth_figures::{depths, formats},
    figure::{Figure, HtmlTable, Panel},
    line_chart::{LineChart, Unit},
    model_lines::{legend, marks, of_cell, of_mean, series},
    reach,
};
use crate::score::task_name::TaskName;

const PLAIN: Style = Style { bars: false };

/// All of them.
pub fn figures(models: &[Model<'_>]) -> Vec<Figure> {
    vec![
        score_by_length(models),
        tasks(models),
        depths(models),
        formats(models),
        reach::figure(models),
        cost::figure(models),
    ]
}

/// Table 1: the mean over RULER's tasks.
fn score_by_length(models: &[Model<'_>]) -> Figure {
    let series = series(models, |model, length| model.mean(length).map(of_mean));
    let chart = |size, names, short: bool| LineChart {
        size,
        series: series.clone(),
        marks: marks(models, short),
        unit: Unit::Percent,
        names,
    };
    let longest = models.iter().map(|model| model.name.chars().count()).max().unwrap_or(0);
    // Beside the lines if there is room, else in the legend.
    let names = (longest <= 36).then_some(20.0 + 7.6 * longest as f64);
    let wide = chart([1060.0, 420.0], names, false);
    let narrow = chart([360.0, 300.0], None, true);
    let title = "Mean score over RULER's tasks against length";
    let mut panel = Panel::new("score", title, &wide.draw(), &wide.description());
    panel.narrow = Some(narrow.draw().image("score-narrow", title, &narrow.description()));
    panel.title = String::new();
    let empty = series.iter().all(|series| series.points.is_empty());
    Figure {
        id: "score-by-length".to_owned(),
        title: "Score against length".to_owned(),
        caption:
            "Mean over RULER's tasks in %, against the length in tokens. Bands: 95 % intervals. \
                  Dashed: the training length."
                .to_owned(),
        panels: if empty { Vec::new() } else { vec![panel] },
        legend: if empty { Vec::new() } else { legend(models) },
        legend_class: if names.is_some() { "narrow" } else { "" },
        tables: vec![HtmlTable::new(&table_1(models))],
        missing: missing(empty, "none of RULER's 13 tasks was run"),
    }
}

/// Tables 7 to 19.
fn tasks(models: &[Model<'_>]) -> Figure {
    let (mut panels, mut tables) = (Vec::new(), Vec::new());
    for (place, task) in TASKS.iter().enumerate() {
        let name = TaskName::Ruler(place);
        let series = series(models, |model, length| model.cell(length, name).and_then(of_cell));
        if series.iter().all(|series| series.points.is_empty()) {
            continue;
        }
        let chart = LineChart {
            size: [260.0, 170.0],
            series,
            marks: marks(models, true).into_iter().map(|(at, _)| (at, String::new())).collect(),
            unit: Unit::Percent,
            names: None,
        };
        let id = format!("task-{}", task.name);
        panels.push(Panel::new(&id, task.name, &chart.draw(), &chart.description()));
        let title = format!("Table {}: {}", 7 + place, task.name);
        tables.push(HtmlTable::new(&by_length(models, &title, |model, length| {
            let found = model.cells.iter().find(|cell| cell.length == length && cell.name == name);
            found.map_or_else(dash, |cell| PLAIN.cell(cell))
        })));
    }
    Figure {
        id: "tasks".to_owned(),
        title: "Score against length, task by task".to_owned(),
        caption: "Score in %, against the length in tokens; bands and dashes as above.".to_owned(),
        missing: missing(panels.is_empty(), "none of RULER's 13 tasks was run"),
        legend: if panels.is_empty() { Vec::new() } else { legend(models) },
        legend_class: "",
        panels,
        tables,
    }
}

/// Why a figure is empty; nothing where it is not.
pub fn missing(empty: bool, why: &str) -> String {
    if empty { format!("Nothing to show: {why}.") } else { String::new() }
}
