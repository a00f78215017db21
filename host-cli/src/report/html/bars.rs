//! Scores by depth and format: one model at one length, a group of bars a depth.

use super::{
    scale::ValueScale,
    svg::{Anchor, Svg},
};

const SIZE: [f64; 2] = [260.0, 160.0];
const LEFT: f64 = 34.0;

/// A bar: percent, and the interval.
pub type Bar = (f64, [f64; 2]);

/// Bars of a model at a length.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// The groups: depths in percent.
    pub depths: Vec<u8>,
    /// The bars of a group.
    pub formats: Vec<&'static str>,
    /// By depth, then by format; `None` where nothing was run.
    pub bars: Vec<Vec<Option<Bar>>>,
}

impl Bars {
    /// The picture.
    pub fn draw(&self) -> Svg {
        let [width, height] = SIZE;
        let mut svg = Svg::new(width, height);
        let (right, bottom) = (width - 6.0, height - 36.0);
        let y = ValueScale::percent(10.0, bottom);
        for &tick in &y.ticks {
            let at = y.place(tick);
            svg.line("grid", [LEFT, at], [right, at]);
            svg.text("tick", [LEFT - 6.0, at + 4.0], Anchor::End, &format!("{tick:.0}"));
        }
        let group = (right - LEFT) / self.depths.len().max(1) as f64;
        let bar = (group * 0.8 / self.formats.len().max(1) as f64).min(22.0);
        for (row, (depth, bars)) in self.depths.iter().zip(&self.bars).enumerate() {
            let middle = LEFT + (row as f64 + 0.5) * group;
            svg.text("tick", [middle, bottom + 15.0], Anchor::Middle, &depth.to_string());
            let first = middle - bar * bars.len() as f64 / 2.0;
            for (column, of) in bars.iter().enumerate() {
                let Some((percent, [low, high])) = of else { continue };
                let x = first + column as f64 * bar;
                let (top, format) = (y.place(*percent), self.formats[column]);
                let title =
                    format!("{format}, depth {depth} %: {percent:.2} % [{low:.1}, {high:.1}]");
                let size = [bar - 1.0, (bottom - top).max(0.5)];
                svg.bar(&format!("f{column}"), [x, top], size, 1.0, &title);
                let centre = x + (bar - 1.0) / 2.0;
                svg.line("whisker", [centre, y.place(*low)], [centre, y.place(*high)]);
            }
        }
        svg.text("tick", [f64::midpoint(LEFT, right), height - 4.0], Anchor::Middle, "depth in %");
        svg
    }

    /// Every value in words.
    pub fn description(&self) -> String {
        let rows = self.depths.iter().zip(&self.bars).map(|(depth, bars)| {
            let known = bars
                .iter()
                .zip(&self.formats)
                .filter_map(|(bar, format)| Some(format!("{format} {:.2} %", (*bar)?.0)));
            format!("Depth {depth} %: {}.", known.collect::<Vec<_>>().join(", "))
        });
        rows.collect::<Vec<_>>().join(" ")
    }
}
