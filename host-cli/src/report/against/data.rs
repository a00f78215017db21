//! The comparison to compute with.

use longseq_core::statistics::Estimate;
use serde_json::{Value, json};

use super::{
    super::data::{interval, write_csv},
    Against, Group, Pair,
};
use crate::{error::Result, paper::figures::figures};

const COLUMNS: [&str; 14] = [
    "run",
    "system",
    "table",
    "length",
    "task",
    "depth",
    "basis",
    "complete",
    "score",
    "low",
    "high",
    "published",
    "difference",
    "outside",
];

/// One row a published figure; all in percent, empty where there is none.
pub fn csv(all: &[Against<'_>]) -> Result<String> {
    let records = all.iter().flat_map(|against| against.pairs().map(|pair| record(against, pair)));
    write_csv(COLUMNS, records)
}

fn record(against: &Against<'_>, pair: &Pair<'_>) -> [String; COLUMNS.len()] {
    let estimate = pair.ours.estimate();
    let end = |end: fn(&Estimate) -> f64| {
        estimate.as_ref().map_or_else(String::new, |of| format!("{:.4}", end(of) * 100.0))
    };
    let figure = |figure: Option<f64>| figure.map_or_else(String::new, |of| format!("{of:.2}"));
    [
        against.run.name.clone(),
        against.system.name.to_owned(),
        pair.table.to_string(),
        pair.length.map_or_else(String::new, |length| length.to_string()),
        pair.what.clone(),
        pair.depth.map_or_else(String::new, |depth| depth.to_string()),
        pair.basis().to_owned(),
        pair.ours.is_complete().to_string(),
        figure(pair.ours.percent()),
        end(|of| of.low),
        end(|of| of.high),
        figure(pair.published),
        figure(pair.difference()),
        pair.is_outside().map_or_else(String::new, |outside| outside.to_string()),
    ]
}

/// Everything: the system, the tables with their notes, and how often the published figure lies
/// outside of our interval.
pub fn json(against: &Against<'_>) -> Result<Value> {
    let (compared, outside) = against.counts();
    Ok(json!({
        "system": against.system.name,
        "checkpoint": against.system.checkpoint,
        "source": figures()?.source,
        "compared": compared,
        "outside": outside,
        "notes": against.notes,
        "tables": against.groups.iter().map(group_json).collect::<Vec<_>>(),
    }))
}

fn group_json(group: &Group<'_>) -> Value {
    json!({
        "title": group.title,
        "notes": group.notes,
        "figures": group.pairs.iter().map(pair_json).collect::<Vec<_>>(),
    })
}

fn pair_json(pair: &Pair<'_>) -> Value {
    json!({
        "table": pair.table,
        "length": pair.length,
        "task": pair.what,
        "depth": pair.depth,
        "basis": pair.basis(),
        "complete": pair.ours.is_complete(),
        "score": pair.ours.percent(),
        "interval_95": pair.ours.estimate().as_ref().map(interval),
        "published": pair.published,
        "difference": pair.difference(),
        "outside": pair.is_outside(),
    })
}

impl Pair<'_> {
    /// `printed`, or `recomputed` from the paper's other figures.
    fn basis(&self) -> &'static str {
        if self.printed { "printed" } else { "recomputed" }
    }
}
