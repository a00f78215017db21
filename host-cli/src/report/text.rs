//! Reports to read: for a terminal and in Markdown.

use super::{
    against::{self, Against},
    by_length::table_1,
    findings::{Findings, effective_table, findings_lines, findings_table},
    model::Model,
    provenance,
    run::Run,
    tables::{Style, Titled, tables},
};

const INTERVALS: &str = "[low, high]: 95 % interval of the mean score";

/// The report for a terminal, and the tables of the paper beside ours if `against` holds any.
/// `style` may add bars. What the paper found is told if `findings` are there.
pub fn terminal(
    runs: &[Run],
    against: &[Against<'_>],
    findings: Option<&Findings>,
    style: Style,
) -> String {
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
    if let Some(findings) = findings {
        let lines = findings_lines(findings);
        let title = if lines.is_empty() { "" } else { "\nThe paper's findings\n" };
        text += title;
        text.extend(lines.into_iter().map(|line| format!("{line}\n")));
    }
    text += &format!("\n{INTERVALS}\n");
    for (run, note) in notes(runs, against) {
        text += &format!("{run}: {note}\n");
    }
    text
}

/// Several models in few lines: table 1, how long each works, and what became of the paper's findings.
pub fn summary(models: &[Model<'_>], findings: &Findings) -> String {
    let titled = [table_1(models), effective_table(findings)];
    let table = |of: &Titled| format!("{}\n{}\n", of.title, of.table.to_text(false));
    let tables: String = titled.iter().map(table).collect();
    let lines: String = findings_lines(findings).iter().map(|line| format!("{line}\n")).collect();
    format!("\n{tables}The paper's findings\n{lines}\n{INTERVALS}\n")
}

/// The report in Markdown, with everything that is known about the runs, and the tables of the
/// paper beside ours if `against` holds any.
pub fn markdown(runs: &[Run], against: &[Against<'_>], findings: &Findings) -> String {
    let mut text = "# RULER report\n".to_owned();
    for titled in tables(runs, Style { bars: false }) {
        text += &format!("\n## {}\n\n{}", titled.title, titled.table.to_markdown());
    }
    let style = Style { bars: false };
    for (titled, notes) in against.iter().flat_map(|against| against::tables(against, style)) {
        text += &format!("\n## {}\n\n{}", titled.title, titled.table.to_markdown());
        text.extend(notes.iter().map(|note| format!("\n{note}\n")));
    }
    text += &markdown_findings(findings);
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

fn markdown_findings(findings: &Findings) -> String {
    let mut text = String::new();
    for finding in findings.with_evidence() {
        let (claim, verdict, rule) = (finding.claim, finding.verdict, finding.rule);
        let table = findings_table(finding).to_markdown();
        text += &format!("\n### {claim}: {verdict}\n\n{rule}\n\n{table}");
        text.extend(finding.missing.iter().map(|missing| format!("\n{missing}\n")));
    }
    if text.is_empty() {
        return text;
    }
    let effective = effective_table(findings);
    let table = effective.table.to_markdown();
    format!("\n## The paper's findings\n{text}\n### {}\n\n{table}", effective.title)
}

/// Each note once: those of the runs, then those of the comparisons that are not among them.
pub fn notes<'a>(runs: &'a [Run], against: &'a [Against<'_>]) -> Vec<(&'a str, String)> {
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
