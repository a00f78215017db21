//! The paper's own table 1, for orientation.

use super::super::tables::{Titled, dash, row};
use crate::{
    error::Result,
    paper::{
        figures::{Figures, figures},
        systems::{SYSTEMS, System},
    },
    table::Table,
};

/// Its systems by length.
pub fn table_1() -> Result<Titled> {
    let figures: &Figures = figures()?;
    let percent = |percent: Option<f64>| percent.map_or_else(dash, |of| format!("{of:.2}"));
    let system = |system: &System| {
        let kind = system.family.kind().name().to_owned();
        let means = figures.lengths.iter().map(|&at| percent(figures.mean(system.name, at)));
        let average = percent(figures.average(system.name));
        let fixed = [kind, format!("{} tokens", system.trained_at)];
        row(system.name, fixed.into_iter().chain(means).chain([average]))
    };
    let lengths = figures.lengths.iter().map(|length| format!("{length} tokens"));
    let fixed = ["kind", "trained at"].map(str::to_owned).into_iter();
    let header = row("system", fixed.chain(lengths).chain(["average".to_owned()]));
    Ok(Titled {
        title: "As published: table 1 of Huang (2025), mean over RULER's tasks in %".to_owned(),
        table: Table { header, rows: SYSTEMS.iter().map(system).collect() },
    })
}
