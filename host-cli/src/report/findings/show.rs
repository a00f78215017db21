//! Findings as tables and lines.

use longseq_core::statistics::Estimate;

use super::{
    super::tables::{Titled, dash},
    Comparison, Effective, Evidence, Finding, Findings, RELATIVE_SHARE, Unit,
};
use crate::table::Table;

/// The numbers of a finding.
pub fn findings_table(finding: &Finding) -> Table {
    let header = ["what", "estimate [95 % interval]", "n", "p (Holm)", "alone"];
    let row = |of: &Evidence| {
        vec![
            of.what.clone(),
            of.shown(),
            of.samples.to_string(),
            of.p.map_or_else(dash, shown_p),
            of.verdict.map_or_else(dash, |verdict| verdict.to_string()),
        ]
    };
    Table {
        header: header.map(str::to_owned).to_vec(),
        rows: finding.evidence.iter().map(row).collect(),
    }
}

/// A line a finding: its claim and its verdict.
pub fn findings_lines(findings: &Findings) -> Vec<String> {
    let line = |of: &Finding| format!("{}: {}", of.claim, of.verdict);
    findings.with_evidence().map(line).collect()
}

/// How long each model works.
pub fn effective_table(findings: &Findings) -> Titled {
    let tokens = |length: Option<usize>| length.map_or_else(dash, |length| length.to_string());
    let share = RELATIVE_SHARE * 100.0;
    let header = [
        "model".to_owned(),
        "trained at".to_owned(),
        "score ≥ 85.6 % up to".to_owned(),
        format!("≥ {share:.0} % of its score at … up to"),
        "longest run".to_owned(),
    ];
    let row = |of: &Effective| {
        let relative = match (of.origin, of.relative) {
            (Some(origin), length) => format!("at {origin}: {}", tokens(length)),
            _ => dash(),
        };
        vec![
            of.model.clone(),
            tokens(of.training_length),
            tokens(of.absolute),
            relative,
            tokens(of.longest),
        ]
    };
    Titled {
        title: "Effective length in tokens, by the mean over RULER's tasks".to_owned(),
        table: Table {
            header: header.to_vec(),
            rows: findings.effective.iter().map(row).collect(),
        },
    }
}

/// All pairs of models.
pub fn pairs_table(findings: &Findings) -> Titled {
    let header =
        ["models", "tokens", "tasks", "n", "difference [95 % interval]", "p (Holm)", "prompts"];
    let row = |of: &Comparison| {
        vec![
            of.names.join(" less "),
            of.length.to_string(),
            of.tasks.to_string(),
            of.samples.to_string(),
            points(of.difference),
            shown_p(of.p),
            if of.paired { "the same" } else { "others" }.to_owned(),
        ]
    };
    Titled {
        title: "Pairs of models: mean score over their shared tasks in percentage points"
            .to_owned(),
        table: Table {
            header: header.map(str::to_owned).to_vec(),
            rows: findings.comparisons.iter().map(row).collect(),
        },
    }
}

impl Evidence {
    /// `+12.34 [10.1, 14.6]` in points, `0.42 [0.36, 0.49]` as a ratio.
    pub fn shown(&self) -> String {
        let Estimate { mean, low, high } = self.estimate;
        match self.unit {
            Unit::Points => points(self.estimate),
            Unit::Ratio if high.is_infinite() => format!("{mean:.2} [{low:.2}, no bound]"),
            Unit::Ratio => format!("{mean:.2} [{low:.2}, {high:.2}]"),
        }
    }
}

fn points(of: Estimate) -> String {
    // No -0.0.
    let [mean, low, high] = [of.mean, of.low, of.high].map(|of| of * 100.0 + 0.0);
    format!("{mean:+.2} [{low:+.1}, {high:+.1}]")
}

/// `0.032`, or `< 0.001`.
fn shown_p(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}
