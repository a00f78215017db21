//! Several probes in few numbers: what tables and figures show.

use super::{NeedleProbe, Probe};

/// Means over samples and their needles.
#[derive(Clone, Debug, PartialEq)]
pub struct Means {
    /// By layer: how much of a needle the head or channel has that has most of it.
    pub reach: Vec<f64>,
    /// ln p of the answer with the needle.
    pub with: f64,
    /// The same with other tokens in the needle's place.
    pub without: f64,
    /// Share of the answers of which every token is the greedy one.
    pub right: f64,
}

impl Means {
    /// Of probes of one model; NaN where there is nothing to take a mean of.
    pub fn of(probes: &[&Probe]) -> Self {
        let needles = || probes.iter().flat_map(|probe| &probe.needles);
        let layers = needles().next().map_or(0, |needle| needle.layers.len());
        let largest =
            |layer: usize| move |needle: &NeedleProbe| Some(needle.layers.get(layer)?.largest);
        Self {
            reach: (0..layers).map(|layer| mean(needles().filter_map(largest(layer)))).collect(),
            with: mean(probes.iter().map(|probe| probe.with.log_probability)),
            without: mean(needles().map(|needle| needle.without.log_probability)),
            right: mean(probes.iter().map(|probe| f64::from(u8::from(probe.with.greedy)))),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}
