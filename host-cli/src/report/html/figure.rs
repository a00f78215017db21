//! A figure as the page shows it: pictures, and the table of their numbers.

use serde::Serialize;

use super::{
    super::tables::Titled,
    svg::{Svg, escaped},
};

/// Pictures under a heading.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Its own in the page.
    pub id: String,
    /// The heading.
    pub title: String,
    /// How it is read.
    pub caption: String,
    /// The pictures.
    pub panels: Vec<Panel>,
    /// The colours, where panels do not name them themselves.
    pub legend: Vec<Key>,
    /// `narrow` where only a narrow screen needs the legend; else empty.
    pub legend_class: &'static str,
    /// Every number that is drawn.
    pub tables: Vec<HtmlTable>,
    /// Why there is nothing to see; empty where there is.
    pub missing: String,
}

/// A picture, as SVG.
#[derive(Clone, Debug, Serialize)]
pub struct Panel {
    /// What stands above it; empty where the figure's title says it all.
    pub title: String,
    /// The picture.
    pub svg: String,
    /// The same for a narrow screen, where the first is too wide for it.
    pub narrow: Option<String>,
}

/// A colour and what it stands for.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    /// The name.
    pub name: String,
    /// A sample, as SVG.
    pub svg: String,
}

/// A table as HTML.
#[derive(Clone, Debug, Serialize)]
pub struct HtmlTable {
    /// What it shows.
    pub title: String,
    /// The element.
    pub html: String,
}

impl Panel {
    /// A picture that says what it is.
    pub fn new(id: &str, title: &str, svg: &Svg, description: &str) -> Self {
        Self { title: title.to_owned(), svg: svg.image(id, title, description), narrow: None }
    }
}

impl HtmlTable {
    /// The table under its title; the first column heads its rows.
    pub fn new(Titled { title, table }: &Titled) -> Self {
        let head: String = table
            .header
            .iter()
            .map(|cell| format!("<th scope=\"col\">{}</th>", escaped(cell)))
            .collect();
        let row = |row: &Vec<String>| {
            let cells = row.iter().enumerate().map(|(column, cell)| match column {
                0 => format!("<th scope=\"row\">{}</th>", escaped(cell)),
                _ => format!("<td>{}</td>", escaped(cell)),
            });
            format!("<tr>{}</tr>", cells.collect::<String>())
        };
        let rows: String = table.rows.iter().map(row).collect();
        let html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table>\
             <caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>\
             </div>",
            caption = escaped(title),
        );
        Self { title: title.clone(), html }
    }
}
