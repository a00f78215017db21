//! What a reader must know beside the numbers: what was run, with what, and what is missing.

use std::path::Path;

use clap::ValueEnum as _;
use serde_json::Value;

use super::{
    mini,
    run::{Cell, Run},
};
use crate::{
    corpora::{Corpora, EnglishWords, EssayText, Questions, Words},
    quirks::Quirk,
    table::Table,
};

/// One line on what a run was, from its plan: the profile, the seed, the template, ….
pub fn summary(run: &Run) -> String {
    let model = model_name(run).map(|name| format!("model {name}"));
    let fields = [
        ("profile", "/profile"),
        ("seed", "/seed"),
        ("samples", "/samples"),
        ("template", "/template/name"),
        ("family", "/checkpoint/family"),
        ("backend", "/backend"),
        ("precision", "/precision"),
        ("longseq", "/program/version"),
    ];
    let known = fields
        .iter()
        .filter_map(|(name, pointer)| Some(format!("{name} {}", text(run.planned(pointer)?))));
    let quirks: Vec<&str> = quirks(run).map(Quirk::name).collect();
    let quirks = (!quirks.is_empty()).then(|| format!("quirks {}", quirks.join(", ")));
    let hash = run.plan.plan_sha256.chars().take(12).collect::<String>();
    model
        .into_iter()
        .chain(known)
        .chain(quirks)
        .chain([format!("plan {hash}")])
        .collect::<Vec<_>>()
        .join(" · ")
}

/// Name of the folder of the checkpoint.
pub fn model_name(run: &Run) -> Option<String> {
    let machine = run.plan.machines.first()?;
    Some(Path::new(&machine.model).file_name()?.display().to_string())
}

/// What must be said about the numbers of a run.
pub fn notes(run: &Run) -> Vec<String> {
    let sum = |count: fn(&Cell) -> usize| run.cells.iter().map(count).sum::<usize>();
    let (planned, scored) = (sum(|cell| cell.planned), sum(|cell| cell.scored));
    let (failed, decided) = (sum(|cell| cell.failed), sum(|cell| cell.decided));
    let mut notes = vec![sizes(run)];
    if failed > 0 {
        notes.push(format!(
            "{failed} of {planned} samples failed (see failures.jsonl); no score counts them"
        ));
    }
    if scored + failed < planned {
        let missing = planned - scored - failed;
        notes.push(format!(
            "{missing} of {planned} samples are still missing; the same `longseq run` goes on"
        ));
    }
    if scored < planned {
        notes.push("* a mean in which cells or samples are missing".to_owned());
    }
    if decided > 0 {
        notes.push(format!(
            "{decided} of {scored} answers were ended when no further text could change their score"
        ));
    }
    if mini::is_mini(run) {
        notes.push(mini::NOTE.to_owned());
    }
    if run.planned("/fit").and_then(Value::as_str) == Some("shrink") {
        notes.push(
            "fit shrink: where RULER's smallest prompt is too long, haystacks are smaller than \
             RULER's"
                .to_owned(),
        );
    }
    notes.extend(quirk_notes(run));
    notes.extend(uuid_variant(run));
    notes.extend(built_in_texts(run));
    notes
}

/// The plan in full, `machines` and hashes included: every value under its path.
pub fn table(run: &Run) -> Table {
    let mut rows = Vec::new();
    flatten("", &serde_json::to_value(&run.plan).unwrap_or_default(), &mut rows);
    Table { header: vec!["plan.json".to_owned(), run.name.clone()], rows }
}

fn sizes(run: &Run) -> String {
    let scored = || run.cells.iter().map(|cell| cell.scored);
    match (scored().min(), scored().max()) {
        (Some(least), Some(most)) if least == most => format!("n = {most} samples in every cell"),
        (Some(least), Some(most)) => format!("n = {least} to {most} samples in a cell"),
        _ => "no cells".to_owned(),
    }
}

/// The faults that the run reproduced.
pub fn quirks(run: &Run) -> impl Iterator<Item = Quirk> {
    let names = run.planned("/quirks").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(|name| Quirk::from_str(name.as_str()?, false).ok())
}

/// What the faults that the run reproduced do; of the UUIDs [`uuid_variant`] speaks.
pub fn quirk_notes(run: &Run) -> impl Iterator<Item = String> {
    let reproduced = quirks(run).filter(|quirk| *quirk != Quirk::Huang2025UuidDepths);
    reproduced.map(|quirk| format!("quirk {quirk}: {}", quirk.effect()))
}

/// Which variant of the paper's `niah_essay_uuids_<depth>` tasks was run, from what was asked for.
pub fn uuid_variant(run: &Run) -> Option<String> {
    let cells = run.cells.iter().filter(|cell| cell.name.has_uuid_fault());
    let reference = cells.filter_map(|cell| cell.reference.as_deref()).next()?;
    Some(if reference.bytes().all(|byte| byte.is_ascii_digit()) {
        "niah_essay_uuids at fixed depths: as published, that is with 7-digit numbers for values; \
         the paper's configuration says UUIDs and sets numbers"
            .to_owned()
    } else {
        "niah_essay_uuids at fixed depths: corrected, with UUIDs for values; the paper's own \
         figures were measured with 7-digit numbers"
            .to_owned()
    })
}

/// Which corpora of the run are this program's own, by their hashes.
pub fn built_in_texts(run: &Run) -> Option<String> {
    let own = Corpora::default();
    let sources = [
        own.essays().map(EssayText::source),
        own.words().map(Words::source),
        own.english_words().map(EnglishWords::source),
        own.squad().map(Questions::source),
        own.hotpotqa().map(Questions::source),
    ];
    let own: Vec<&str> = sources.iter().flatten().map(|source| source.sha256.as_str()).collect();
    let corpora = run.planned("/corpora").and_then(Value::as_array)?;
    let field = |corpus: &Value, name| corpus.get(name).and_then(Value::as_str).map(str::to_owned);
    let own: Vec<String> = corpora
        .iter()
        .filter(|corpus| field(corpus, "sha256").is_some_and(|hash| own.contains(&hash.as_str())))
        .filter_map(|corpus| field(corpus, "name"))
        .collect();
    (!own.is_empty()).then(|| {
        format!(
            "{}: longseq's own texts, not the ones that RULER's figures are for",
            own.join(", ")
        )
    })
}

fn flatten(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| flatten(&below(key), value, rows));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(i, item)| flatten(&below(&i.to_string()), item, rows));
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(text).collect();
            rows.push(vec![path.to_owned(), items.join(", ")]);
        }
        value => rows.push(vec![path.to_owned(), text(value)]),
    }
}

/// A value without quotes; line breaks as JSON writes them.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) if !text.contains(['\n', '\r']) => text.clone(),
        value => value.to_string(),
    }
}
