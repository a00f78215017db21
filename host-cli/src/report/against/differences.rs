//! What a run did otherwise than the paper, and what is doubtful in the paper.

use serde_json::{Value, json};

use super::super::{
    provenance::{built_in_texts, model_name, quirk_notes, uuid_variant},
    run::Run,
};
use crate::paper::{
    preset::{PROFILE, SAMPLES, SEED},
    systems::System,
};

/// One note on the options, then those on the published figures, on quirks, UUIDs and texts of our own.
pub fn notes(run: &Run, system: &System) -> Vec<String> {
    let protocol = [
        ("profile", "/profile", json!(PROFILE.name())),
        ("template", "/template/name", json!(system.template)),
        ("samples", "/samples", json!(SAMPLES)),
        ("seed", "/seed", json!(SEED)),
        ("seeding", "/seeding", json!("run")),
        ("fit", "/fit", json!("exact")),
        ("remove_newline_tab", "/remove_newline_tab", json!(false)),
        ("precision", "/precision", json!("bf16")),
    ];
    let options = protocol.iter().filter_map(|(name, pointer, published)| {
        let value = run.planned(pointer).filter(|value| *value != published)?;
        Some(format!("{name} {} ({})", plain(value), plain(published)))
    });
    let published = system.checkpoint.rsplit('/').next().unwrap_or_default();
    let model = model_name(run).filter(|name| !name.eq_ignore_ascii_case(published));
    let model = model.map(|name| format!("model {name} ({published})"));
    let all: Vec<String> = model.into_iter().chain(options).collect();
    let differs = (!all.is_empty())
        .then(|| format!("other than in the paper (whose is in brackets): {}", all.join(", ")));
    let caveat = system.caveat.map(str::to_owned);
    let texts = uuid_variant(run).into_iter().chain(built_in_texts(run));
    differs.into_iter().chain(caveat).chain(quirk_notes(run)).chain(texts).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
