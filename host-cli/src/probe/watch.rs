//! What is seen of a needle while a prompt is read.

use std::ops::Range;

use longseq_core::reference::Observe;

/// Looks on while a prompt is read whose last token is to answer.
#[derive(Debug)]
pub struct Watch<'a> {
    needles: &'a [Range<usize>],
    /// Position of the prompt's last token.
    last: usize,
    layers: Vec<Layer>,
    /// The layer whose mixer computes; before the first one, none.
    layer: Option<usize>,
}

/// What is seen in a layer, of each needle and unit.
#[derive(Clone, Debug, Default)]
struct Layer {
    /// Softmax mass of the last token on the needle, by head.
    masses: Vec<Vec<f64>>,
    /// ln of what is left of a write at the needle's last token, by what has a decay of its own.
    log_survivals: Vec<Vec<f64>>,
}

impl<'a> Watch<'a> {
    /// Of a prompt of so many tokens.
    pub fn new(layers: usize, needles: &'a [Range<usize>], tokens: usize) -> Self {
        let none = vec![Vec::new(); needles.len()];
        let layer = Layer { masses: none.clone(), log_survivals: none };
        Self { needles, last: tokens.saturating_sub(1), layers: vec![layer; layers], layer: None }
    }

    /// For each layer what of a needle is within reach of the last token: in attention the softmax mass on its tokens,
    /// by head; in a recurrence what is left of a write at its last token, by unit.
    pub fn within_reach(&self, needle: usize) -> Vec<Vec<f64>> {
        let reach = |layer: &Layer| match (&layer.masses[needle], &layer.log_survivals[needle]) {
            (masses, logs) if masses.is_empty() => logs.iter().map(|log| log.exp()).collect(),
            (masses, _) => masses.clone(),
        };
        self.layers.iter().map(reach).collect()
    }

    fn layer(&mut self) -> Option<&mut Layer> {
        self.layers.get_mut(self.layer?)
    }
}

impl Observe<f32> for Watch<'_> {
    fn mixer(&mut self) {
        // From the first one again where the prompt is read in pieces.
        let layers = self.layers.len().max(1);
        self.layer = Some(self.layer.map_or(0, |layer| (layer + 1) % layers));
    }

    fn wants(&self, position: usize) -> bool {
        position == self.last
    }

    fn attention(&mut self, _: usize, seen: Range<usize>, weights: &[f32]) {
        let needles = self.needles;
        let Some(layer) = self.layer() else { return };
        for (needle, masses) in needles.iter().zip(&mut layer.masses) {
            let on_needle = seen.clone().zip(weights).filter(|(at, _)| needle.contains(at));
            masses.push(on_needle.map(|(_, weight)| f64::from(*weight)).sum());
        }
    }

    fn log_decay(&mut self, position: usize, unit: usize, log_decay: f32) {
        let (needles, last) = (self.needles, self.last);
        let Some(layer) = self.layer() else { return };
        for (needle, logs) in needles.iter().zip(&mut layer.log_survivals) {
            if logs.len() <= unit {
                logs.resize(unit + 1, 0.0);
            }
            if (needle.end..=last).contains(&position) {
                logs[unit] += f64::from(log_decay);
            }
        }
    }
}
