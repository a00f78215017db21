//! Reports to read: for a terminal and in Markdown.

use super::{
    provenance,
    run::Run,
    tables::{Style, tables},
};

const INTERVALS: &str = "[low, high]: 95 % interval of the mean score";

/// The report for a terminal. `style` may add bars.
pub fn terminal(runs: &[Run], style: Style) -> String {
    let mut text = String::new();
    for run in runs {
        text += &format!("{}: {}\n", run.name, provenance::summary(run));
    }
    for titled in tables(runs, style) {
        text += &format!("\n{}\n{}", titled.title, titled.table.to_text(false));
    }
    text += &format!("\n{INTERVALS}\n");
    for (run, note) in notes(runs) {
        text += &format!("{run}: {note}\n");
    }
    text
}

/// The report in Markdown, with everything that is known about the runs.
pub fn markdown(runs: &[Run]) -> String {
    let mut text = "# RULER report\n".to_owned();
    for titled in tables(runs, Style { bars: false }) {
        text += &format!("\n## {}\n\n{}", titled.title, titled.table.to_markdown());
    }
    text += &format!("\n## Notes\n\n- {INTERVALS}\n");
    for (run, note) in notes(runs) {
        text += &format!("- {run}: {}\n", note.replace('*', "\\*"));
    }
    text += "\n## Provenance\n";
    for run in runs {
        text += &format!("\n{}", provenance::table(run).to_markdown());
    }
    text
}

fn notes(runs: &[Run]) -> impl Iterator<Item = (&str, String)> {
    runs.iter().flat_map(|run| {
        provenance::notes(run).into_iter().map(move |note| (run.name.as_str(), note))
    })
}
