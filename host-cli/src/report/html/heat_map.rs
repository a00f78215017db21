//! Score by depth and length: one model, a field a cell.

use super::{
    scale::short_length,
    svg::{Anchor, Svg},
};

const LEFT: f64 = 46.0;
const TOP: f64 = 26.0;
const FIELD: [f64; 2] = [58.0, 26.0];

/// Fields of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Lengths in tokens, left to right.
    pub lengths: Vec<usize>,
    /// Depths in percent, top to bottom: as the prompt is read.
    pub depths: Vec<u8>,
    /// Percent by depth, then by length; `None` where nothing was run.
    pub percents: Vec<Vec<Option<f64>>>,
    /// The training length.
    pub trained_at: Option<usize>,
}

impl HeatMap {
    /// The picture.
    pub fn draw(&self) -> Svg {
        let [field_width, field_height] = FIELD;
        let (columns, rows) = (self.lengths.len() as f64, self.depths.len() as f64);
        let mut svg = Svg::new(LEFT + columns * field_width + 4.0, TOP + rows * field_height);
        for (column, &length) in self.lengths.iter().enumerate() {
            let at = LEFT + (column as f64 + 0.5) * field_width;
            let trained = self.trained_at == Some(length);
            let class = if trained { "tick trained" } else { "tick" };
            let mark = if trained { "▾ " } else { "" };
            svg.text(
                class,
                [at, TOP - 9.0],
                Anchor::Middle,
                &format!("{mark}{}", short_length(length)),
            );
        }
        for (row, (&depth, percents)) in self.depths.iter().zip(&self.percents).enumerate() {
            let y = TOP + row as f64 * field_height;
            let middle = y + field_height / 2.0 + 4.0;
            svg.text("tick", [LEFT - 8.0, middle], Anchor::End, &format!("{depth} %"));
            for (column, percent) in percents.iter().enumerate() {
                let x = LEFT + column as f64 * field_width;
                let length = self.lengths[column];
                let size = [field_width - 2.0, field_height - 2.0];
                let Some(percent) = percent else {
                    let title = format!("depth {depth} %, {length} tokens: not run");
                    svg.bar("empty", [x, y], size, 1.0, &title);
                    continue;
                };
                let title = format!("depth {depth} %, {length} tokens: {percent:.2} %");
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
            let known = percents.iter().zip(&self.lengths).filter_map(|(percent, length)| {
                Some(format!("{:.2} % at {length} tokens", (*percent)?))
            });
            format!("Depth {depth} %: {}.", known.collect::<Vec<_>>().join(", "))
        });
        rows.collect::<Vec<_>>().join(" ")
    }
}
