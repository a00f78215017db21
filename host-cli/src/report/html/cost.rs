//! What a length costs: tokens a second, and memory of one sequence.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        model::Model,
        tables::{Titled, dash, row},
    },
    figure::{Figure, HtmlTable, Panel},
    line_chart::{LineChart, Point, Series, Unit},
    model_lines::legend,
};
use crate::table::Table;

/// Values by length.
type ByLength = BTreeMap<usize, f64>;

/// Both figures.
pub fn figures(models: &[Model<'_>]) -> [Figure; 2] {
    [
        figure(
            models,
            ("rate", "Tokens a second", Unit::Rate, rates),
            "Tokens of prompts and answers that passed through the model, by the time it took, over \
             all cells of a length; with several sequences at a time and shared prefixes read once.",
            "the runs' folders hold no timings.jsonl (runs before longseq recorded it)",
        ),
        figure(
            models,
            ("memory", "Memory of one sequence", Unit::Bytes, memory),
            "Recurrent state, keys and values of one sequence at its full length, from the model's \
             configuration; weights come on top once.",
            "the runs' plan.json holds no memory (runs before longseq recorded it)",
        ),
    ]
}

fn figure(
    models: &[Model<'_>],
    (id, title, unit, values): (&str, &str, Unit, fn(&Model<'_>) -> ByLength),
    caption: &str,
    why: &str,
) -> Figure {
    let all: Vec<ByLength> = models.iter().map(values).collect();
    let series = models.iter().zip(&all).enumerate().map(|(place, (model, values))| {
        let point = |(&length, &value): (&usize, &f64)| Point { length, value, interval: None };
        Series { name: model.name.clone(), place, points: values.iter().map(point).collect() }
    });
    let chart = LineChart {
        size: [440.0, 260.0],
        series: series.collect(),
        marks: Vec::new(),
        unit,
        names: None,
    };
    let empty = all.iter().all(BTreeMap::is_empty);
    let mut panel = Panel::new(id, title, &chart.draw(), &chart.description());
    panel.title = String::new();
    let lengths: BTreeSet<usize> = all.iter().flat_map(|values| values.keys().copied()).collect();
    let rows = models.iter().zip(&all).map(|(model, values)| {
        let value = |length| values.get(length).map_or_else(dash, |&value| unit.shown(value));
        row(&model.name, lengths.iter().map(value))
    });
    let table = Table {
        rows: rows.collect(),
        header: row("model", lengths.iter().map(|length| format!("{length} tokens"))),
    };
    Figure {
        id: format!("cost-{id}"),
        title: title.to_owned(),
        caption: caption.to_owned(),
        panels: if empty { Vec::new() } else { vec![panel] },
        legend: if empty { Vec::new() } else { legend(models) },
        tables: if empty {
            Vec::new()
        } else {
            vec![HtmlTable::new(&Titled { title: title.to_owned(), table })]
        },
        missing: if empty { format!("Nothing to show: {why}.") } else { String::new() },
    }
}

fn rates(model: &Model<'_>) -> ByLength {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for timing in model.runs.iter().flat_map(|run| &run.timings) {
        let (tokens, seconds) = sums.entry(timing.length).or_default();
        *tokens += timing.tokens as f64;
        *seconds += timing.seconds;
    }
    let timed = sums.into_iter().filter(|(_, (_, seconds))| *seconds > 0.0);
    timed.map(|(length, (tokens, seconds))| (length, tokens / seconds)).collect()
}

fn memory(model: &Model<'_>) -> ByLength {
    let footprints = model.runs.iter().filter_map(|run| run.plan.beside.memory.as_ref());
    let sequences = footprints.flat_map(|footprint| &footprint.sequence);
    sequences.map(|of| (of.length, of.bytes as f64)).collect()
}
