//! SVG text: the few elements that the figures are made of.
//!
//! Colours are classes, so that the style sheet decides them for light, dark and print.

use std::fmt::Write as _;

/// A picture in the making.
#[derive(Clone, Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text is tied to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its start.
    Start,
    /// At its middle.
    Middle,
    /// At its end.
    End,
}

/// The number of different [`Svg::marker`]s.
pub const MARKERS: usize = 8;

impl Svg {
    /// An empty picture, in CSS pixels.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
        self.element(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A line through points.
    pub fn polyline(&mut self, class: &str, points: &[[f64; 2]]) {
        let points = coordinates(points);
        self.element(format_args!("<polyline class=\"{class}\" points=\"{points}\"/>"));
    }

    /// The area inside of points.
    pub fn polygon(&mut self, class: &str, points: &[[f64; 2]]) {
        let points = coordinates(points);
        self.element(format_args!("<polygon class=\"{class}\" points=\"{points}\"/>"));
    }

    /// A rectangle, `opacity` of its colour, that says `title` under the pointer.
    pub fn bar(
        &mut self,
        class: &str,
        [x, y]: [f64; 2],
        size: [f64; 2],
        opacity: f64,
        title: &str,
    ) {
        let ([width, height], title) = (size, escaped(title));
        self.element(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" fill-opacity=\"{opacity:.3}\"><title>{title}</title></rect>"
        ));
    }

    /// A text.
    pub fn text(&mut self, class: &str, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.element(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// A marker of the shape numbered `shape`, that says `title` under the pointer.
    pub fn marker(&mut self, class: &str, [x, y]: [f64; 2], shape: usize, title: &str) {
        let path = match shape % MARKERS {
            0 => "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
            1 => "M-3.2-3.2h6.4v6.4h-6.4z",
            2 => "M0-4.2L4 3H-4z",
            3 => "M0-4.5L4.5 0L0 4.5L-4.5 0z",
            4 => "M0 4.2L4-3H-4z",
            5 => "M-1.3-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",
            6 => "M-4-2h8v4h-8z",
            _ => "M-2-4h4v8h-4z",
        };
        let title = escaped(title);
        self.element(format_args!(
            "<path class=\"{class}\" transform=\"translate({x:.1} {y:.1})\" d=\"{path}\">\
             <title>{title}</title></path>"
        ));
    }

    /// The picture as an image with a text alternative: `title` names it, `description` says what is
    /// to be seen. `id` is its own in the document.
    pub fn image(&self, id: &str, title: &str, description: &str) -> String {
        let Self { width, height, body } = self;
        let (title, description) = (escaped(title), escaped(description));
        format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {width} {height}\" \
             style=\"max-width:{width}px\"><title id=\"{id}-t\">{title}</title>\
             <desc id=\"{id}-d\">{description}</desc>{body}</svg>"
        )
    }

    /// The picture as an ornament of a text that says it all.
    pub fn ornament(&self) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg aria-hidden=\"true\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">{body}</svg>"
        )
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
    }
}

fn coordinates(points: &[[f64; 2]]) -> String {
    points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// Text as XML holds it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
