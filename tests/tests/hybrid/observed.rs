//! Decays that an observer is told are those that a state forgets by.

use std::ops::Range;

use longseq_core::{
    hybrid::config::{Mixer, ModelConfig, Recurrence},
    reference::Observe,
};
use longseq_tests::runner::Runner;

/// Sums of ln a of a layer's units, and how many mixers were seen.
#[derive(Debug)]
struct Decays {
    layers: usize,
    begun: usize,
    sums: Vec<Vec<f64>>,
    positions: Range<usize>,
}

impl Observe<f64> for Decays {
    fn mixer(&mut self) {
        self.begun += 1;
    }

    fn wants(&self, _: usize) -> bool {
        false
    }

    fn attention(&mut self, _: usize, _: Range<usize>, _: &[f64]) {
        unreachable!("no position is wanted");
    }

    fn log_decay(&mut self, position: usize, unit: usize, log_decay: f64) {
        assert!(self.positions.contains(&position), "{position}");
        assert!(log_decay <= 0.0);
        let sums = &mut self.sums[(self.begun - 1) % self.layers];
        sums.resize(sums.len().max(unit + 1), 0.0);
        sums[unit] += log_decay;
    }
}

/// How many elements of a layer's state share a unit's decay.
fn elements_of_a_unit(config: &ModelConfig, layer: usize) -> Option<usize> {
    match config.mixer(layer)? {
        Mixer::Recurrent(Recurrence::Ssd(of)) => Some(of.dims.head_dim * of.dims.state),
        Mixer::Recurrent(Recurrence::RgLru(_)) => Some(1),
        Mixer::Recurrent(Recurrence::Wkv6(of)) => Some(of.dims.head_dim),
        Mixer::Attention(_) => None,
    }
}

/// Whatever is added to a layer's state leaves that layer's inputs as they are, so of two states that differ the difference
/// shrinks by the decays alone.
#[test]
fn a_difference_of_states_decays_as_observed() {
    let (prompt, rest) = ([5, 17, 3, 60, 8, 9, 21], [30, 2, 44, 7, 7, 12]);
    for name in longseq_tests::golden::NAMES {
        let checkpoint = super::checkpoint(name);
        let layers = checkpoint.config().layers;
        for layer in 0..layers {
            let Some(elements) = elements_of_a_unit(checkpoint.config(), layer) else { continue };
            let [mut plain, mut other] = [0, 1].map(|_| Runner::<f64>::new(&checkpoint, 1, 20));
            plain.last(0, &prompt);
            other.last(0, &prompt);
            let region = plain.places(layer).recurrence;
            other.recurrent_mut(region, 0).iter_mut().for_each(|element| *element += 1.0);
            let positions = prompt.len()..prompt.len() + rest.len();
            let sums = vec![Vec::new(); layers];
            let mut decays = Decays { layers, begun: 0, sums, positions };
            for token in rest {
                plain.observed(&[(0, &[token])], &[], Some(&mut decays)).unwrap();
                other.observed(&[(0, &[token])], &[], None).unwrap();
            }
            assert_eq!(decays.begun, layers * rest.len(), "{name}");
            let states = plain.recurrent(region, 0).into_iter().zip(other.recurrent(region, 0));
            for (element, (plain, other)) in states.enumerate() {
                let left = decays.sums[layer][element / elements].exp();
                let found = other - plain;
                assert!((found - left).abs() < 1e-9, "{name}, layer {layer}: {found}, not {left}");
            }
        }
    }
}
