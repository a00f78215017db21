//! What was run: a row a model.

use indicatif::HumanCount;

use super::super::{
    model::Model,
    tables::{Titled, dash},
};
use crate::table::Table;

/// The table.
pub fn table(models: &[Model<'_>]) -> Titled {
    let header = [
        "model",
        "kind",
        "family",
        "parameters",
        "trained at",
        "profile",
        "samples a cell",
        "precision",
        "backend",
        "seed",
        "template",
        "longseq",
    ];
    Titled {
        title: "What was run".to_owned(),
        table: Table {
            header: header.map(str::to_owned).to_vec(),
            rows: models.iter().map(row).collect(),
        },
    }
}

fn row(model: &Model<'_>) -> Vec<String> {
    let run = model.runs[0];
    let planned = |pointer: &str| {
        run.planned(pointer).map_or_else(dash, |value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        })
    };
    let parameters = run.planned("/checkpoint/parameters").and_then(serde_json::Value::as_u64);
    let samples = || model.cells.iter().map(|cell| cell.scored);
    let samples = match (samples().min(), samples().max()) {
        (Some(least), Some(most)) if least == most => most.to_string(),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => dash(),
    };
    vec![
        model.name.clone(),
        model.kind.map_or_else(dash, |kind| kind.name().to_owned()),
        planned("/checkpoint/family"),
        parameters.map_or_else(dash, |count| HumanCount(count).to_string()),
        model.training_length.map_or_else(dash, |length| format!("{length} tokens")),
        planned("/profile"),
        samples,
        planned("/precision"),
        planned("/backend"),
        planned("/seed"),
        planned("/template/name"),
        format!("{} ({})", planned("/program/version"), planned("/program/commit")),
    ]
}
