//! The figures of needles at depths: heat maps, and bars by format.

use std::collections::BTreeSet;

use super::{
    super::{
        data::interval,
        model::Model,
        tables::{Style, Titled, dash, row},
    },
    bars::Bars,
    figure::{Figure, HtmlTable, Key, Panel},
    figures::missing,
    heat_map::{Column, HeatMap},
    scale::short_length,
    svg::Svg,
};
use crate::table::Table;

const PLAIN: Style = Style { bars: false };

/// Tables 2 and 3, at all lengths.
pub fn depths(models: &[Model<'_>]) -> Figure {
    let (mut panels, mut tables) = (Vec::new(), Vec::new());
    for (place, model) in models.iter().enumerate() {
        let lengths: Vec<usize> = model.depth_lengths().into_iter().collect();
        let depths: BTreeSet<u8> = lengths
            .iter()
            .flat_map(|&length| model.at_depths(length))
            .map(|(_, depth, _)| depth)
            .collect();
        if depths.is_empty() {
            continue;
        }
        let depths: Vec<u8> = depths.into_iter().collect();
        let mean = |depth: u8, length: usize| model.depth_mean(length, depth);
        let percents = depths.iter().map(|&depth| {
            lengths.iter().map(|&at| mean(depth, at).map(|mean| mean.percent())).collect()
        });
        let map = HeatMap {
            percents: percents.collect(),
            columns: lengths.iter().map(|&length| column(model, length)).collect(),
            depths: depths.clone(),
        };
        let id = format!("depths-{place}");
        panels.push(Panel::new(&id, &model.name, &map.draw(), &map.description()));
        let rows = depths.iter().map(|&depth| {
            let cells = lengths.iter().map(|&length| PLAIN.mean(mean(depth, length)));
            row(&format!("{depth} %"), cells)
        });
        tables.push(HtmlTable::new(&Titled {
            title: format!("{}: score in % by depth and length, mean of the formats", model.name),
            table: Table {
                rows: rows.collect(),
                header: row("depth", lengths.iter().map(|length| format!("{length} tokens"))),
            },
        }));
    }
    Figure {
        id: "depths".to_owned(),
        title: "Depth of the needle".to_owned(),
        caption:
            "Score in % for one needle, by its depth in the haystack (down; 0 % is the start) and the \
                  length in tokens (across); mean of the formats. ▾: the training length."
                .to_owned(),
        missing: missing(panels.is_empty(), "no needles were put at fixed depths"),
        legend: Vec::new(),
        legend_class: "",
        panels,
        tables,
    }
}

fn column(model: &Model<'_>, length: usize) -> Column {
    Column {
        head: short_length(length),
        said: format!("at {length} tokens"),
        marked: model.training_length == Some(length),
    }
}

/// Table 4.
pub fn formats(models: &[Model<'_>]) -> Figure {
    let (mut panels, mut tables) = (Vec::new(), Vec::new());
    let mut all: Vec<&'static str> = models
        .iter()
        .flat_map(|model| model.cells.iter().filter_map(|cell| cell.name.format_and_depth()))
        .map(|(format, _)| format)
        .collect();
    all.sort_unstable();
    all.dedup();
    for (place, model) in models.iter().enumerate() {
        for length in model.depth_lengths() {
            let cells = model.at_depths(length);
            let depths: BTreeSet<u8> = cells.iter().map(|(_, depth, _)| *depth).collect();
            let depths: Vec<u8> = depths.into_iter().collect();
            let cell = |depth: u8, format: &str| {
                let mut at = cells.iter().filter(|(f, d, _)| *f == format && *d == depth);
                at.next().map(|(.., cell)| *cell)
            };
            let bars = depths.iter().map(|&depth| {
                let bar = |format: &&str| {
                    let cell = cell(depth, format)?;
                    Some((cell.percent?, interval(&cell.estimate?)))
                };
                all.iter().map(bar).collect()
            });
            let bars = Bars { bars: bars.collect(), depths: depths.clone(), formats: all.clone() };
            let title = format!("{}, {length} tokens", model.name);
            let id = format!("formats-{place}-{length}");
            panels.push(Panel::new(&id, &title, &bars.draw(), &bars.description()));
            let rows = depths.iter().map(|&depth| {
                let of = |format: &&str| cell(depth, format).map_or_else(dash, |of| PLAIN.cell(of));
                row(&format!("{depth} %"), all.iter().map(of))
            });
            tables.push(HtmlTable::new(&Titled {
                title: format!("Table 4: {title}, score in % by depth and format"),
                table: Table {
                    rows: rows.collect(),
                    header: row("depth", all.iter().map(|format| (*format).to_owned())),
                },
            }));
        }
    }
    let key = |(column, format): (usize, &&str)| {
        let mut svg = Svg::new(14.0, 12.0);
        svg.bar(&format!("f{column}"), [1.0, 1.0], [12.0, 10.0], 1.0, format);
        Key { name: (*format).to_owned(), svg: svg.ornament() }
    };
    Figure {
        id: "formats".to_owned(),
        title: "Data format by depth".to_owned(),
        caption: "Score in % for one needle, by format and depth; lines: 95 % intervals."
            .to_owned(),
        missing: missing(panels.is_empty(), "no needles were put at fixed depths"),
        legend: if panels.is_empty() {
            Vec::new()
        } else {
            all.iter().enumerate().map(key).collect()
        },
        legend_class: "",
        panels,
        tables,
    }
}
