//! Models by length: a row a model.

use std::collections::BTreeSet;

use super::{
    Mean,
    model::Model,
    tables::{Style, Titled, row},
};
use crate::table::Table;

const PLAIN: Style = Style { bars: false };

/// Table 1 of the paper: models by length, and the mean over the lengths.
pub fn table_1(models: &[Model<'_>]) -> Titled {
    let mut table = by_length(models, "Table 1: mean over RULER's tasks in %", |model, length| {
        PLAIN.mean(model.mean(length))
    });
    let lengths = all_lengths(models);
    table.table.header.push("average".to_owned());
    for (model, row) in models.iter().zip(&mut table.table.rows) {
        let means: Vec<Option<Mean>> = lengths.iter().map(|&length| model.mean(length)).collect();
        row.push(PLAIN.mean(Mean::of_means(&means)));
    }
    table
}

/// A row a model, a column a length.
pub fn by_length(
    models: &[Model<'_>],
    title: &str,
    cell: impl Fn(&Model<'_>, usize) -> String,
) -> Titled {
    let lengths = all_lengths(models);
    let rows =
        models.iter().map(|model| row(&model.name, lengths.iter().map(|&at| cell(model, at))));
    let header = row("model", lengths.iter().map(|length| format!("{length} tokens")));
    Titled { title: title.to_owned(), table: Table { rows: rows.collect(), header } }
}

fn all_lengths(models: &[Model<'_>]) -> BTreeSet<usize> {
    models.iter().flat_map(Model::lengths).collect()
}
