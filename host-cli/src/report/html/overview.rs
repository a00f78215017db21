//! What was run: a row a model, and a line on what all have in common.

use indicatif::HumanCount;
use serde_json::Value;

use super::super::{
    model::Model,
    tables::{Titled, dash, row},
};
use crate::table::Table;

/// Values of the plan, by what the page calls them.
const PLANNED: [(&str, &str); 8] = [
    ("profile", "/profile"),
    ("precision", "/precision"),
    ("backend", "/backend"),
    ("seed", "/seed"),
    ("seeding", "/seeding"),
    ("template", "/template/name"),
    ("longseq", "/program/version"),
    ("commit", "/program/commit"),
];

/// The table, with those values of the plans in which the models differ; and a line with the others.
pub fn overview(models: &[Model<'_>]) -> (Titled, String) {
    let planned = |model: &Model<'_>, pointer: &str| {
        model.runs[0].planned(pointer).map_or_else(dash, |value| match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        })
    };
    let is_common = |pointer: &str| {
        models.iter().all(|model| planned(model, pointer) == planned(&models[0], pointer))
    };
    let (common, differing): (Vec<_>, Vec<_>) =
        PLANNED.into_iter().partition(|(_, pointer)| is_common(pointer));
    let own = ["kind", "family", "parameters", "trained at", "samples a cell"];
    let header = own.into_iter().chain(differing.iter().map(|(name, _)| *name));
    let rows = models.iter().map(|model| {
        let planned = differing.iter().map(|(_, pointer)| planned(model, pointer));
        row(&model.name, own_values(model).into_iter().chain(planned))
    });
    let table = Table { rows: rows.collect(), header: row("model", header.map(str::to_owned)) };
    let common = common.iter().filter_map(|(name, pointer)| {
        Some(format!("{name} {}", planned(models.first()?, pointer)))
    });
    let common = common.collect::<Vec<_>>().join(" · ");
    (Titled { title: "Models".to_owned(), table }, common)
}

fn own_values(model: &Model<'_>) -> [String; 5] {
    let planned = |pointer: &str| model.runs[0].planned(pointer);
    let parameters = planned("/checkpoint/parameters").and_then(Value::as_u64);
    let samples = || model.cells.iter().map(|cell| cell.scored);
    let family = planned("/checkpoint/family").and_then(Value::as_str);
    [
        model.kind.map_or_else(dash, |kind| kind.name().to_owned()),
        family.map_or_else(dash, str::to_owned),
        parameters.map_or_else(dash, |count| HumanCount(count).to_string()),
        model.training_length.map_or_else(dash, |length| format!("{length} tokens")),
        match (samples().min(), samples().max()) {
            (Some(least), Some(most)) if least == most => most.to_string(),
            (Some(least), Some(most)) => format!("{least} to {most}"),
            _ => dash(),
        },
    ]
}
