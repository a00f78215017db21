//! What all line charts of models have in common: a line, a colour and a mark for each.

use std::collections::BTreeSet;

use super::{
    super::{Mean, data::interval, model::Model, run::Cell},
    figure::Key,
    line_chart::{Point, Series, colour},
    scale::short_length,
    svg::Svg,
};

/// A score in percent, and its interval.
pub type Scored = (f64, Option<[f64; 2]>);

/// A line a model through `value` at its lengths.
pub fn series(
    models: &[Model<'_>],
    value: impl Fn(&Model<'_>, usize) -> Option<Scored>,
) -> Vec<Series> {
    let series = models.iter().enumerate().map(|(place, model)| {
        let points = model.lengths().into_iter().filter_map(|length| {
            let (value, interval) = value(model, length)?;
            Some(Point { length, value, interval })
        });
        Series { name: model.name.clone(), place, points: points.collect() }
    });
    series.collect()
}

/// That of a cell.
pub fn of_cell(cell: &Cell) -> Option<Scored> {
    Some((cell.percent?, cell.estimate.as_ref().map(interval)))
}

/// That of a mean.
pub fn of_mean(mean: Mean) -> Scored {
    (mean.percent(), Some(interval(&mean.estimate)))
}

/// Training lengths: one mark for all models of the same.
pub fn marks(models: &[Model<'_>], short: bool) -> Vec<(usize, String)> {
    let lengths: BTreeSet<usize> =
        models.iter().filter_map(|model| model.training_length).collect();
    let run: BTreeSet<usize> = models.iter().flat_map(Model::lengths).collect();
    let (Some(&least), Some(&most)) = (run.first(), run.last()) else { return Vec::new() };
    let several = lengths.len() > 1;
    let said = |length: usize| match (several, short) {
        (false, false) => format!("training length {length}"),
        (_, true) => format!("trained at {}", short_length(length)),
        (true, false) => {
            let names = models.iter().filter(|model| model.training_length == Some(length));
            let names: Vec<&str> = names.map(|model| model.name.as_str()).collect();
            format!("{} trained", names.join(", "))
        }
    };
    let shown = lengths.into_iter().filter(|length| (least..=most).contains(length));
    shown.map(|length| (length, said(length))).collect()
}

/// The models' colours and markers.
pub fn legend(models: &[Model<'_>]) -> Vec<Key> {
    let key = |(place, model): (usize, &Model<'_>)| {
        let mut svg = Svg::new(26.0, 12.0);
        let colour = colour(place);
        svg.line(&format!("line {colour}"), [1.0, 6.0], [25.0, 6.0]);
        svg.marker(&format!("marker {colour}"), [13.0, 6.0], place, &model.name);
        Key { name: model.name.clone(), svg: svg.ornament() }
    };
    models.iter().enumerate().map(key).collect()
}
