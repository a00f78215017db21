//! Reports to compute with: CSV, one row a cell, and JSON with the whole provenance.

use longseq_core::statistics::{Estimate, bootstrap};
use serde_json::{Value, json};

use super::{
    Mean,
    against::{self, Against},
    findings::{self, Findings},
    mini, provenance, ruler_cells,
    run::{Cell, Run},
};
use crate::{
    error::{Error, Result},
    quirks::Quirk,
};

const COLUMNS: [&str; 13] = [
    "run", "length", "task", "format", "depth", "planned", "n", "failed", "nulls", "score", "low",
    "high", "quirks",
];

/// Seed of the resampling.
pub const SEED: u64 = 2025;

/// One row a cell; scores and intervals in percent, empty where there are none.
pub fn csv(runs: &[Run]) -> Result<String> {
    let records = runs.iter().flat_map(|run| run.cells.iter().map(move |cell| record(run, cell)));
    write_csv(COLUMNS, records)
}

/// A CSV file of records under a header.
pub fn write_csv<const N: usize>(
    header: [&str; N],
    records: impl Iterator<Item = [String; N]>,
) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Error::new(format!("cannot write CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(|e| failed(&e))?;
    for record in records {
        writer.write_record(record).map_err(|e| failed(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

fn record(run: &Run, cell: &Cell) -> [String; COLUMNS.len()] {
    let (format, depth) = cell.name.format_and_depth().unzip();
    let end = |end: fn(&Estimate) -> f64| {
        cell.estimate.as_ref().map_or_else(String::new, |of| format!("{:.4}", end(of) * 100.0))
    };
    [
        run.name.clone(),
        cell.length.to_string(),
        cell.task.clone(),
        format.unwrap_or_default().to_owned(),
        depth.map_or_else(String::new, |depth| depth.to_string().replace(" %", "")),
        cell.planned.to_string(),
        cell.scored.to_string(),
        cell.failed.to_string(),
        cell.nulls.to_string(),
        cell.percent.map_or_else(String::new, |percent| format!("{percent:?}")),
        end(|of| of.low),
        end(|of| of.high),
        provenance::quirks(run).map(Quirk::name).collect::<Vec<_>>().join(" "),
    ]
}

/// Everything: for each run its `plan.json` as it is, hashes of the predictions, cells, means over
/// RULER's tasks by length, and the notes. Scores and intervals in percent, null where there are
/// none. `profile_mini` says what that profile has smaller, null where no run has it. `against` adds
/// to a run what the paper has beside it; what is computed of several models together follows the runs.
pub fn json(runs: &[Run], against: &[Against<'_>], findings: &Findings) -> Result<Value> {
    let mut values: Vec<Value> = runs.iter().map(run_json).collect();
    for (value, against) in values.iter_mut().zip(against) {
        value["against_paper"] = against::json(against)?;
    }
    Ok(json!({
        "report": { "program": "longseq", "version": env!("CARGO_PKG_VERSION") },
        "profile_mini": mini::json(runs),
        "runs": values,
        "across_models": findings::json(findings),
    }))
}

fn run_json(run: &Run) -> Value {
    let means = run.lengths().into_iter().filter_map(|length| {
        let mean = Mean::of(&ruler_cells(run, length))?;
        Some(json!({
            "length": length,
            "tasks": mean.cells,
            "tasks_planned": mean.of,
            "complete": mean.complete,
            "score": mean.percent(),
            "interval_95": interval(&mean.estimate),
        }))
    });
    json!({
        "name": run.name,
        "means_over_ruler_tasks": means.collect::<Vec<_>>(),
        "cells": run.cells.iter().map(cell_json).collect::<Vec<_>>(),
        "quirks": provenance::quirks(run).map(Quirk::name).collect::<Vec<_>>(),
        "notes": provenance::notes(run),
        "predictions_sha256": run.predictions,
        "provenance": run.plan,
    })
}

fn cell_json(cell: &Cell) -> Value {
    let (format, depth) = cell.name.format_and_depth().unzip();
    json!({
        "length": cell.length,
        "task": cell.task,
        "format": format,
        "depth": depth.map(|depth| depth.to_string().replace(" %", "")),
        "metric": cell.name.metric().name(),
        "planned": cell.planned,
        "n": cell.scored,
        "failed": cell.failed,
        "nulls": cell.nulls,
        "decided": cell.decided,
        "score": cell.percent,
        "interval_95": cell.estimate.as_ref().map(interval),
        "bootstrap_95": bootstrap_interval(cell),
    })
}

/// Of fractional scores, the interval of the percentile bootstrap; docs/scoring.md says why it is
/// not the one shown.
fn bootstrap_interval(cell: &Cell) -> Option<[f64; 2]> {
    let scores: Vec<f64> = cell.samples.iter().map(|sample| sample.score).collect();
    let fractional = scores.iter().any(|&score| score > 0.0 && score < 1.0);
    let mut means = [0.0; bootstrap::RESAMPLES];
    let estimate = bootstrap::mean(&[&scores], &mut means, SEED).filter(|_| fractional)?;
    Some(interval(&estimate))
}

/// Both ends in percent.
pub fn interval(estimate: &Estimate) -> [f64; 2] {
    [estimate.low * 100.0, estimate.high * 100.0]
}
