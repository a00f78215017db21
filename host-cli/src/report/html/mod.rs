//! The report as one page: figures with their numbers, findings, and where samples were lost.
//!
//! Nothing is loaded from elsewhere and no script runs; colours follow the reader's light or dark
//! setting. Every number comes from the structures that `results.json` is written from.

mod bars;
mod cost;
mod depth_figures;
mod figure;
mod figures;
mod heat_map;
mod line_chart;
mod lost;
mod model_lines;
mod overview;
mod published;
mod reach;
mod scale;
mod svg;

use minijinja::{AutoEscape, Environment, Value, context, value::Serde};

use self::figure::HtmlTable;
use super::{
    against::{self, Against},
    findings::{Findings, effective_table, findings_table, pairs_table},
    model::Model,
    provenance,
    run::Run,
    tables::{Style, Titled, tables},
    text,
};
use crate::error::{Error, Result};

/// Different colours of lines in the style sheet.
const COLOURS: usize = 8;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

/// What a page shows.
#[derive(Clone, Copy, Debug)]
pub struct Content<'r> {
    /// The heading.
    pub title: &'r str,
    /// The runs.
    pub runs: &'r [Run],
    /// The same as models.
    pub models: &'r [Model<'r>],
    /// What was computed of them.
    pub findings: &'r Findings,
    /// The paper's figures beside ours, if asked for.
    pub against: &'r [Against<'r>],
}

/// The page.
pub fn page(content: Content<'_>) -> Result<String> {
    let Content { title, runs, models, findings, against } = content;
    let failed = |error: minijinja::Error| Error::new(format!("cannot write the page: {error}"));
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let template = environment.template_from_named_str("page.html", PAGE).map_err(failed)?;
    let findings_shown: Vec<_> = findings
        .findings
        .iter()
        .map(|finding| {
            let table = Titled { title: finding.claim.to_owned(), table: findings_table(finding) };
            context! {
                id => finding.id,
                claim => finding.claim,
                rule => finding.rule,
                verdict => finding.verdict.to_string(),
                class => finding.verdict.name(),
                sign => finding.verdict.sign(),
                missing => Value::from(Serde(&finding.missing)),
                rows => finding.evidence.len(),
                table => if finding.evidence.is_empty() { String::new() } else { HtmlTable::new(&table).html },
            }
        })
        .collect();
    let pairs = pairs_table(findings);
    let (overview, common) = overview::overview(models);
    let style = Style { bars: false };
    let ours = tables(runs, style);
    let published = against.iter().flat_map(|of| against::tables(of, style));
    let published: Vec<_> = published
        .map(|(titled, notes)| context! { table => HtmlTable::new(&titled).html, notes => Value::from(Serde(notes)) })
        .collect();
    let provenance: Vec<HtmlTable> = runs
        .iter()
        .map(|run| Titled { title: run.name.clone(), table: provenance::table(run) })
        .map(|titled| HtmlTable::new(&titled))
        .collect();
    template
        .render(context! {
            title => title,
            style => STYLE,
            overview => HtmlTable::new(&overview).html,
            common => common,
            notes => Value::from(Serde(notes(runs, against))),
            findings => findings_shown,
            effective => HtmlTable::new(&effective_table(findings)).html,
            pairs => if pairs.table.rows.is_empty() { None } else { Some(HtmlTable::new(&pairs).html) },
            figures => Value::from(Serde(figures::figures(models))),
            tables => Value::from(Serde(ours.iter().map(HtmlTable::new).collect::<Vec<_>>())),
            published => published,
            paper => HtmlTable::new(&published::table_1()?).html,
            lost => Value::from(Serde(lost::models(models)?)),
            most => lost::MOST,
            failures => Value::from(Serde(lost::failures(runs)?)),
            provenance => Value::from(Serde(provenance)),
            version => env!("CARGO_PKG_VERSION"),
        })
        .map_err(failed)
}

/// Each note once, with the runs that it is about.
fn notes(runs: &[Run], against: &[Against<'_>]) -> Vec<(String, String)> {
    let mut notes: Vec<(Vec<&str>, String)> = Vec::new();
    for (run, note) in text::notes(runs, against) {
        match notes.iter_mut().find(|(_, known)| *known == note) {
            Some((names, _)) => names.push(run),
            None => notes.push((vec![run], note)),
        }
    }
    let names = |names: Vec<&str>| match (names.len(), runs.len()) {
        (some, all) if some == all && all > 1 => "all runs".to_owned(),
        (some, all) if some > 3 => format!("{some} of {all} runs"),
        _ => names.join(", "),
    };
    notes.into_iter().map(|(runs, note)| (names(runs), note)).collect()
}
