//! The figure of probes: how much of a needle each layer still reaches, by the needle's depth.

use super::{
    super::{
        model::Model,
        tables::{Titled, row},
    },
    figure::{Figure, HtmlTable, Panel},
    figures::missing,
    heat_map::{Column, HeatMap},
};
use crate::{
    probe::{NeedleProbe, Probe},
    score::task_name::{Depth, TaskName},
    table::Table,
};

/// A map a model.
pub fn figure(models: &[Model<'_>]) -> Figure {
    let (mut panels, mut tables) = (Vec::new(), Vec::new());
    for (place, model) in models.iter().enumerate() {
        let probes: Vec<&Probe> = model.runs.iter().flat_map(|run| &run.probes).collect();
        let mut groups: Vec<((usize, u8), Vec<&Probe>)> = Vec::new();
        for probe in probes {
            let Some(depth) = depth(probe) else { continue };
            match groups.iter_mut().find(|(key, _)| *key == (probe.length, depth)) {
                Some((_, of)) => of.push(probe),
                None => groups.push(((probe.length, depth), vec![probe])),
            }
        }
        groups.sort_by_key(|(key, _)| *key);
        for groups in groups.chunk_by(|((length, _), _), ((other, _), _)| length == other) {
            let length = groups[0].0.0;
            let title = format!("{}, {length} tokens", model.name);
            let map = map(groups);
            let id = format!("reach-{place}-{length}");
            panels.push(Panel::new(&id, &title, &map.draw(), &map.description()));
            tables.push(HtmlTable::new(&table(&title, groups, &map)));
        }
    }
    Figure {
        id: "reach".to_owned(),
        title: "Why needles are lost".to_owned(),
        caption: "How much of the needle is within reach when the answer begins, in %, by its depth (down) and \
                  layer (across; A attention, R recurrence): in attention the largest softmax mass of a head on the \
                  needle; in a recurrence what is left of a write at the needle, where least was forgotten. Means \
                  over samples."
            .to_owned(),
        missing: missing(panels.is_empty(), "no needles were probed"),
        legend: Vec::new(),
        legend_class: "",
        panels,
        tables,
    }
}

/// Where the needles of a probe's task were put.
fn depth(probe: &Probe) -> Option<u8> {
    match TaskName::parse(&probe.task)?.format_and_depth()? {
        (_, Depth::Percent(depth)) => Some(depth),
        _ => None,
    }
}

type Group<'p> = ((usize, u8), Vec<&'p Probe>);

fn map(groups: &[Group<'_>]) -> HeatMap {
    let layers = needles(&groups[0].1).next().map_or(&[][..], |needle| &needle.layers);
    let column = |(layer, of): (usize, &crate::probe::LayerReach)| Column {
        head: format!("{}{layer}", if of.mixer.is_attention() { 'A' } else { 'R' }),
        said: format!("in layer {layer} ({})", of.mixer.name()),
        marked: false,
    };
    let percents = groups.iter().map(|(_, probes)| {
        let largest = |layer: usize| {
            mean(needles(probes).filter_map(|needle| Some(needle.layers.get(layer)?.largest)))
        };
        (0..layers.len()).map(|layer| Some(100.0 * largest(layer))).collect()
    });
    HeatMap {
        columns: layers.iter().enumerate().map(column).collect(),
        depths: groups.iter().map(|((_, depth), _)| *depth).collect(),
        percents: percents.collect(),
    }
}

/// The numbers of the map, and what the needle does for the answer.
fn table(title: &str, groups: &[Group<'_>], map: &HeatMap) -> Titled {
    let rows = groups.iter().zip(&map.percents).map(|(((_, depth), probes), percents)| {
        let reach = percents.iter().map(|percent| format!("{:.1}", percent.unwrap_or(f64::NAN)));
        let with = mean(probes.iter().map(|probe| probe.with.log_probability));
        let without = mean(needles(probes).map(|needle| needle.without.log_probability));
        let right = mean(probes.iter().map(|probe| 100.0 * f64::from(u8::from(probe.with.greedy))));
        let answer = [with, without, right].map(|value| format!("{value:.1}"));
        row(&format!("{depth} %"), reach.chain(answer).chain([probes.len().to_string()]))
    });
    let heads = map.columns.iter().map(|column| column.head.clone());
    let answer =
        ["ln p(answer)", "ln p, needle replaced", "right, %", "samples"].map(str::to_owned);
    Titled {
        title: format!("{title}: % of the needle within reach by layer, and the answer"),
        table: Table { header: row("depth", heads.chain(answer)), rows: rows.collect() },
    }
}

fn needles<'p>(probes: &'p [&Probe]) -> impl Iterator<Item = &'p NeedleProbe> {
    probes.iter().flat_map(|probe| &probe.needles)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}
