//! Reports to read: for a terminal and in Markdown.

use super::{
    against::{self, Against},
    provenance,
    run::Run,
    tables::{Style, tables},
};

const INTERVALS: &str = "[low, high]: 95 % interval of the mean score";

/// The report for a terminal, and the tables of the paper beside ours if `against` holds any.
/// `style` may add bars.
pub fn terminal(runs: &[Run], against: &[Against<'_>], style: Style) -> String {
    let mut text = String::new();
    for run in runs {
        text += &format!("{}: {}\n", run.name, provenance::summary(run));
    }
    for titled in tables(runs, style) {
        text += &format!("\n{}\n{}", titled.title, titled.table.to_text(false));
    }
    for (titled, notes) in against.iter().flat_map(|against| against::tables(against, style)) {
        text += &format!("\n{}\n{}", titled.title, titled.table.to_text(false));
        text.extend(notes.iter().map(|note| format!("{note}\n")));
    }
    text += &format!("\n{INTERVALS}\n");
    for (run, note) in notes(runs, against) {
        text += &format!("{run}: {note}\n");
    }
    text
}

/// The report in Markdown, with everything that is known about the runs, and the tables of the
/// paper beside ours if `against` holds any.
pub fn markdown(runs: &[Run], against: &[Against<'_>]) -> String {
    let mut text = "# RULER report\n".to_owned();
    for titled in tables(runs, Style { bars: false }) {
        text += &format!("\n## {}\n\n{}", titled.title, titled.table.to_markdown());
    }
    let style = Style { bars: false };
    for (titled, notes) in against.iter().flat_map(|against| against::tables(against, style)) {
        text += &format!("\n## {}\n\n{}", titled.title, titled.table.to_markdown());
        text.extend(notes.iter().map(|note| format!("\n{note}\n")));
    }
    text += &format!("\n## Notes\n\n- {INTERVALS}\n");
    for (run, note) in notes(runs, against) {
        text += &format!("- {run}: {}\n", note.replace('*', "\\*"));
    }
    text += "\n## Provenance\n";
    for run in runs {
        text += &format!("\n{}", provenance::table(run).to_markdown());
    }
    text
}

/// Each note once: those of the runs, then those of the comparisons that are not among them.
fn notes<'a>(runs: &'a [Run], against: &'a [Against<'_>]) -> Vec<(&'a str, String)> {
    let of_runs = runs.iter().map(|run| (run.name.as_str(), provenance::notes(run)));
    let of_pairs = against.iter().map(|of| (of.run.name.as_str(), of.notes.clone()));
    let mut all: Vec<(&str, String)> = Vec::new();
    for (run, notes) in of_runs.chain(of_pairs) {
        for note in notes {
            if !all.iter().any(|(of, known)| *of == run && *known == note) {
                all.push((run, note));
            }
        }
    }
    all
}
