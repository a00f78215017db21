//! A table of text, as a terminal and as Markdown show it.

/// Rows of cells under a header; the first column names the row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns' names.
    pub header: Vec<String>,
    /// The rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns aligned with two spaces between them: the first to the left, the others to the
    /// right if `right`, else to the left.
    pub fn to_text(&self, right: bool) -> String {
        let widths = self.widths();
        let lines = self.lines().map(|row| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column > 0 && right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        });
        lines.collect()
    }

    /// A Markdown table.
    pub fn to_markdown(&self) -> String {
        let line = |row: &[String]| {
            let cells = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " "));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule = "|---".repeat(self.header.len()) + "|\n";
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.header) + &rule + &rows
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        [&self.header].into_iter().chain(&self.rows)
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            self.lines().filter_map(move |row| Some(row.get(column)?.chars().count()))
        };
        (0..self.header.len()).map(|column| width(column).max().unwrap_or(0)).collect()
    }
}
