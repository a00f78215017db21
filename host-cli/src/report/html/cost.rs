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

/// A picture of the figure.
struct Part {
    id: &'static str,
    title: &'static str,
    unit: Unit,
    values: fn(&Model<'_>) -> ByLength,
    /// What of a run's folder holds the values.
    record: &'static str,
}

const PARTS: [Part; 2] = [
    Part {
        id: "rate",
        title: "Tokens a second",
        unit: Unit::Rate,
        values: rates,
        record: "timings.jsonl",
    },
    Part {
        id: "memory",
        title: "Memory of one sequence",
        unit: Unit::Bytes,
        values: memory,
        record: "memory in plan.json",
    },
];

/// The figure: a picture of each, as far as it was recorded.
pub fn figure(models: &[Model<'_>]) -> Figure {
    let (mut panels, mut tables, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for Part { id, title, unit, values, record } in PARTS {
        let all: Vec<ByLength> = models.iter().map(values).collect();
        if all.iter().all(BTreeMap::is_empty) {
            missing.push(record);
            continue;
        }
        let chart = chart(models, &all, unit);
        panels.push(Panel::new(id, title, &chart.draw(), &chart.description()));
        tables.push(HtmlTable::new(&table(models, &all, title, unit)));
    }
    let missing = match missing.as_slice() {
        [] => String::new(),
        missing => format!(
            "The runs hold no {}: they were made before longseq recorded it.",
            missing.join(" and no ")
        ),
    };
    Figure {
        id: "cost".to_owned(),
        title: "Cost by length".to_owned(),
        caption: "Left: tokens of prompts and answers that passed through the model, by the time it \
                  took, over all cells of a length; several sequences at a time, shared prefixes read \
                  once. Right: recurrent state, keys and values of one sequence at its full length; \
                  weights come on top once."
            .to_owned(),
        legend: if panels.is_empty() { Vec::new() } else { legend(models) },
        legend_class: "",
        panels,
        tables,
        missing,
    }
}

fn chart(models: &[Model<'_>], all: &[ByLength], unit: Unit) -> LineChart {
    let series = models.iter().zip(all).enumerate().map(|(place, (model, values))| {
        let point = |(&length, &value): (&usize, &f64)| Point { length, value, interval: None };
        Series { name: model.name.clone(), place, points: values.iter().map(point).collect() }
    });
    LineChart {
        size: [440.0, 250.0],
        series: series.collect(),
        marks: Vec::new(),
        unit,
        names: None,
    }
}

fn table(models: &[Model<'_>], all: &[ByLength], title: &str, unit: Unit) -> Titled {
    let lengths: BTreeSet<usize> = all.iter().flat_map(|values| values.keys().copied()).collect();
    let rows = models.iter().zip(all).map(|(model, values)| {
        let value = |length| values.get(length).map_or_else(dash, |&value| unit.shown(value));
        row(&model.name, lengths.iter().map(value))
    });
    let header = row("model", lengths.iter().map(|length| format!("{length} tokens")));
    Titled { title: title.to_owned(), table: Table { rows: rows.collect(), header } }
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
