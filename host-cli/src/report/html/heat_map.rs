//! Percent by depth and by something else, a field each: of one model.

use super::svg::{Anchor, Svg};

const LEFT: f64 = 46.0;
const TOP: f64 = 26.0;
const FIELD: [f64; 2] = [58.0, 26.0];
/// All columns together, at most.
const WIDEST: f64 = 216.0;

/// Fields of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Left to right.
    pub columns: Vec<Column>,
    /// Depths in percent, top to bottom: as the prompt is read.
    pub depths: Vec<u8>,
    /// Percent by depth, then by column; `None` where nothing was run.
    pub percents: Vec<Vec<Option<f64>>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub head: String,
    /// The same in words.
    pub said: String,
    /// Whether it is marked.
    pub marked: bool,
}

impl HeatMap {
    /// The picture.
    pub fn draw(&self) -> Svg {
        let (columns, rows) = (self.columns.len() as f64, self.depths.len() as f64);
        // Many are narrower, so that the picture need not be made smaller, and its text with it.
        let [field_width, field_height] = [FIELD[0].min(WIDEST / columns), FIELD[1]];
        let mut svg = Svg::new(LEFT + columns * field_width + 4.0, TOP + rows * field_height);
        for (column, Column { head, marked, .. }) in self.columns.iter().enumerate() {
            let at = LEFT + (column as f64 + 0.5) * field_width;
            let class = if *marked { "tick trained" } else { "tick" };
            let mark = if *marked { "▾ " } else { "" };
            svg.text(class, [at, TOP - 9.0], Anchor::Middle, &format!("{mark}{head}"));
        }
        for (row, (&depth, percents)) in self.depths.iter().zip(&self.percents).enumerate() {
            let y = TOP + row as f64 * field_height;
            let middle = y + field_height / 2.0 + 4.0;
            svg.text("tick", [LEFT - 8.0, middle], Anchor::End, &format!("{depth} %"));
            for (column, percent) in percents.iter().enumerate() {
                let x = LEFT + column as f64 * field_width;
                let said = &self.columns[column].said;
                let size = [field_width - 2.0, field_height - 2.0];
                let Some(percent) = percent else {
                    let title = format!("depth {depth} %, {said}: not run");
                    svg.bar("empty", [x, y], size, 1.0, &title);
                    continue;
                };
                let title = format!("depth {depth} %, {said}: {percent:.2} %");
                // Never so dark that its number could not be read.
                svg.bar("heat", [x, y], size, 0.04 + 0.76 * percent / 100.0, &title);
                let text = [x + size[0] / 2.0, middle];
                svg.text("field", text, Anchor::Middle, &format!("{percent:.0}"));
            }
        }
        svg
    }

    /// Every value in words.
    pub fn description(&self) -> String {
        let rows = self.depths.iter().zip(&self.percents).map(|(depth, percents)| {
            let known = percents.iter().zip(&self.columns).filter_map(|(percent, column)| {
                Some(format!("{:.2} % {}", (*percent)?, column.said))
            });
            format!("Depth {depth} %: {}.", known.collect::<Vec<_>>().join(", "))
        });
        rows.collect::<Vec<_>>().join(" ")
    }
}
