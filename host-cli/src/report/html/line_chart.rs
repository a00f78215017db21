//! A quantity against the length, a line a model.

use super::{
    scale::{LengthScale, ValueScale, short_length, short_value},
    svg::{Anchor, Svg},
};

/// Least distance between the base lines of two labels.
const LABEL_HEIGHT: f64 = 15.0;

/// What a line goes through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Tokens.
    pub length: usize,
    /// The value.
    pub value: f64,
    /// Its interval, where there is one.
    pub interval: Option<[f64; 2]>,
}

/// The line of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name of the model.
    pub name: String,
    /// Its place among the models: its colour and marker everywhere.
    pub place: usize,
    /// Ascending by length.
    pub points: Vec<Point>,
}

/// A chart.
#[derive(Clone, Debug)]
pub struct LineChart {
    /// Width and height in CSS pixels.
    pub size: [f64; 2],
    /// The lines.
    pub series: Vec<Series>,
    /// Lengths with a mark, and what it says.
    pub marks: Vec<(usize, String)>,
    /// What the values are.
    pub unit: Unit,
    /// Space for the models' names at the ends of their lines; without it they have none.
    pub names: Option<f64>,
}

/// What values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Scores, from 0 to 100.
    Percent,
    /// Tokens a second.
    Rate,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// A value with its unit.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{value:.2} %"),
            Self::Rate => format!("{} tokens/s", short_value(value)),
            Self::Bytes => {
                let short = short_value(value);
                format!("{short}{}B", if short.contains(' ') { "" } else { " " })
            }
        }
    }

    fn tick(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{value:.0}"),
            Self::Rate => short_value(value),
            Self::Bytes => self.shown(value),
        }
    }
}

impl LineChart {
    /// The picture.
    pub fn draw(&self) -> Svg {
        let [width, height] = self.size;
        let mut svg = Svg::new(width, height);
        let left = if self.unit == Unit::Percent { 34.0 } else { 56.0 };
        let right = width - self.names.unwrap_or(10.0);
        let (top, bottom) = (if self.marks.is_empty() { 12.0 } else { 24.0 }, height - 26.0);
        let mut lengths: Vec<usize> =
            self.series.iter().flat_map(|series| &series.points).map(|at| at.length).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let x = LengthScale::new(lengths, left + 10.0, right - 10.0);
        let y = match self.unit {
            Unit::Percent => ValueScale::percent(top, bottom),
            _ => ValueScale::up_to(self.most(), top, bottom),
        };
        self.axes(&mut svg, &x, &y, [left, right]);
        for (length, said) in &self.marks {
            let at = x.place(*length);
            svg.line("mark", [at, top - 6.0], [at, bottom]);
            svg.text("mark-label", [at, top - 10.0], Anchor::Middle, said);
        }
        for series in &self.series {
            self.series(&mut svg, series, &x, &y);
        }
        if self.names.is_some() {
            self.names(&mut svg, &x, &y);
        }
        svg
    }

    fn most(&self) -> f64 {
        let points = self.series.iter().flat_map(|series| &series.points);
        points.map(|at| at.interval.map_or(at.value, |[_, high]| high)).fold(0.0, f64::max)
    }

    fn axes(&self, svg: &mut Svg, x: &LengthScale, y: &ValueScale, [left, right]: [f64; 2]) {
        for &tick in &y.ticks {
            let at = y.place(tick);
            svg.line("grid", [left, at], [right, at]);
            svg.text("tick", [left - 6.0, at + 4.0], Anchor::End, &self.unit.tick(tick));
        }
        let bottom = y.place(0.0);
        for &length in x.lengths() {
            let at = x.place(length);
            svg.line("axis", [at, bottom], [at, bottom + 4.0]);
            svg.text("tick", [at, bottom + 18.0], Anchor::Middle, &short_length(length));
        }
    }

    fn series(&self, svg: &mut Svg, series: &Series, x: &LengthScale, y: &ValueScale) {
        let colour = colour(series.place);
        let edge = |end: usize| {
            let bounded = series.points.iter().filter_map(|at| Some((at.length, at.interval?)));
            bounded
                .map(|(length, interval)| [x.place(length), y.place(interval[end])])
                .collect::<Vec<_>>()
        };
        let (low, mut high) = (edge(0), edge(1));
        if low.len() > 1 {
            high.reverse();
            svg.polygon(&format!("band {colour}"), &[low, high].concat());
        }
        let place = |at: &Point| [x.place(at.length), y.place(at.value)];
        let line: Vec<[f64; 2]> = series.points.iter().map(place).collect();
        svg.polyline(&format!("line {colour}"), &line);
        for at in &series.points {
            let interval = at
                .interval
                .map_or_else(String::new, |[low, high]| format!(" [{low:.1}, {high:.1}]"));
            let (name, value) = (&series.name, self.unit.shown(at.value));
            let said = format!("{name}, {} tokens: {value}{interval}", at.length);
            svg.marker(&format!("marker {colour}"), place(at), series.place, &said);
        }
    }

    /// The names beside the last points, moved apart where they would overlap.
    fn names(&self, svg: &mut Svg, x: &LengthScale, y: &ValueScale) {
        let mut labels: Vec<(f64, f64, &Series)> = self
            .series
            .iter()
            .filter_map(|series| {
                let last = series.points.last()?;
                Some((y.place(last.value), x.place(last.length), series))
            })
            .collect();
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = f64::NEG_INFINITY;
        for label in &mut labels {
            label.0 = label.0.max(free);
            free = label.0 + LABEL_HEIGHT;
        }
        // What was pushed below the axis goes up again.
        let mut least = y.place(0.0) + 4.0;
        for label in labels.iter_mut().rev() {
            label.0 = label.0.min(least);
            least = label.0 - LABEL_HEIGHT;
        }
        for (at, end, series) in labels {
            let class = format!("name {}", colour(series.place));
            svg.text(&class, [end + 9.0, at + 4.0], Anchor::Start, &series.name);
        }
    }

    /// Every value in words.
    pub fn description(&self) -> String {
        let series = self.series.iter().map(|series| {
            let points = series
                .points
                .iter()
                .map(|at| format!("{} at {} tokens", self.unit.shown(at.value), at.length));
            format!("{}: {}.", series.name, points.collect::<Vec<_>>().join(", "))
        });
        series.collect::<Vec<_>>().join(" ")
    }
}

/// The class of the colour of the model at a place.
pub fn colour(place: usize) -> String {
    format!("c{}", place % super::COLOURS)
}
