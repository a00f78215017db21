//! The comparison as tables to read.

use super::{
    super::tables::{Style, Titled, dash, row},
    Against, Group, Ours, Pair,
};
use crate::table::Table;

/// A table for each of the paper's, and the notes below it.
pub fn tables<'a>(
    against: &'a Against<'_>,
    style: Style,
) -> impl Iterator<Item = (Titled, &'a [String])> {
    against.groups.iter().map(move |group| (titled(group, style), group.notes.as_slice()))
}

fn titled(group: &Group<'_>, style: Style) -> Titled {
    let columns = ["ours", "paper", "difference"].map(str::to_owned);
    let header = row(group.first_column, columns.into_iter());
    let rows = group.pairs.iter().map(|pair| {
        let ours = match pair.ours {
            Ours::Cell(cell) => style.cell(cell),
            Ours::Mean(mean) => style.mean(mean),
        };
        let published = pair.published.map_or_else(dash, |percent| format!("{percent:.2}"));
        row(&pair.row, [ours, published, difference(pair)].into_iter())
    });
    Titled { title: group.title.clone(), table: Table { header, rows: rows.collect() } }
}

/// `-1.20`, with `!` where the published figure lies outside of our interval.
fn difference(pair: &Pair<'_>) -> String {
    let mark = if pair.is_outside() == Some(true) { " !" } else { "" };
    pair.difference().map_or_else(dash, |points| format!("{points:+.2}{mark}"))
}

impl Against<'_> {
    /// What the mark in the tables says, and how often it is there.
    pub fn legend(&self) -> String {
        let (compared, outside) = self.counts();
        format!(
            "! the published figure lies outside of our 95 % interval: {outside} of {compared} \
             (with 250 samples on both sides about one in six would if nothing but the draw of \
             samples differed)"
        )
    }
}
