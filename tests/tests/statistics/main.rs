//! Statistics against scipy and statsmodels, by simulation, and by their laws.

mod comparisons;
mod intervals;
mod lengths;

use longseq_tests::fixtures;
use serde::de::DeserializeOwned;

/// What scipy and statsmodels give, by the name of its part.
fn expected<T: DeserializeOwned>(part: &str) -> T {
    let file = std::fs::read(fixtures().join("statistics/expected.json")).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&file).unwrap();
    serde_json::from_value(all[part].clone()).unwrap()
}

/// Uniform draws in [0, 1) of a small linear congruential generator.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}
