//! Whole models: parity with their own equations, laws of state and batches, refusals.

mod goldens;
mod laws;
mod observed;
mod quirks;
mod refusals;

use longseq::checkpoint::Checkpoint;

/// Opens a checkpoint of the fixtures.
fn checkpoint(name: &str) -> Checkpoint {
    let folder = longseq_tests::fixtures().join("models").join(name);
    Checkpoint::open(&folder).unwrap_or_else(|error| panic!("{name}: {error}"))
}
