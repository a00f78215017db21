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
    probe::{LayerReach, Means, Probe},
    score::task_name::TaskName,
    table::Table,
};

/// A map a model.
pub fn figure(models: &[Model<'_>]) -> Figure {
    let (mut panels, mut tables) = (Vec::new(), Vec::new());
    for (place, model) in models.iter().enumerate() {
        let probes: Vec<&Probe> = model.runs.iter().flat_map(|run| &run.probes).collect();
        let mut groups: Vec<((usize, u8), Vec<&Probe>)> = Vec::new();
        for probe in probes {
            let depth = TaskName::parse(&probe.task).and_then(TaskName::percent);
            let Some(depth) = depth else { continue };
            match groups.iter_mut().find(|(key, _)| *key == (probe.length, depth)) {
                Some((_, of)) => of.push(probe),
                None => groups.push(((probe.length, depth), vec![probe])),
            }
        }
        groups.sort_by_key(|(key, _)| *key);
        for groups in groups.chunk_by(|((length, _), _), ((other, _), _)| length == other) {
            let length = groups[0].0.0;
            let title = format!("{}, {length} tokens", model.name);
            let means: Vec<Means> = groups.iter().map(|(_, probes)| Means::of(probes)).collect();
            let map = map(groups, &means);
            let id = format!("reach-{place}-{length}");
            panels.push(Panel::new(&id, &title, &map.draw(), &map.description()));
            tables.push(HtmlTable::new(&table(&title, (groups, &means), &map)));
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

type Group<'p> = ((usize, u8), Vec<&'p Probe>);

fn map(groups: &[Group<'_>], means: &[Means]) -> HeatMap {
    let needle = groups[0].1.iter().flat_map(|probe| &probe.needles).next();
    let layers = needle.map_or(&[][..], |needle| &needle.layers);
    let column = |(layer, of): (usize, &LayerReach)| Column {
        head: format!("{}{layer}", if of.mixer.is_attention() { 'A' } else { 'R' }),
        said: format!("in layer {layer} ({})", of.mixer.name()),
        marked: false,
    };
    let percents = |means: &Means| means.reach.iter().map(|reach| Some(100.0 * reach)).collect();
    HeatMap {
        columns: layers.iter().enumerate().map(column).collect(),
        depths: groups.iter().map(|((_, depth), _)| *depth).collect(),
        percents: means.iter().map(percents).collect(),
    }
}

/// The numbers of the map, and what the needle does for the answer.
fn table(title: &str, (groups, means): (&[Group<'_>], &[Means]), map: &HeatMap) -> Titled {
    let rows = groups.iter().zip(means).map(|(((_, depth), probes), of)| {
        let reach = of.reach.iter().map(|reach| 100.0 * reach);
        let values = reach.chain([of.with, of.without, 100.0 * of.right]);
        let values = values.map(|value| format!("{value:.1}"));
        row(&format!("{depth} %"), values.chain([probes.len().to_string()]))
    });
    let heads = map.columns.iter().map(|column| column.head.clone());
    let answer =
        ["ln p(answer)", "ln p, needle replaced", "right, %", "samples"].map(str::to_owned);
    Titled {
        title: format!("{title}: % of the needle within reach by layer, and the answer"),
        table: Table { header: row("depth", heads.chain(answer)), rows: rows.collect() },
    }
}
