//! Attention at the widths of published models: too much for the emulator.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_tests::attention::{Case, dims};
use longseq_tests::device::is_skipped;

use super::aligned;
use super::equivalence::check;

fn at(dims: AttentionDims, capacity: usize, tokens: [usize; 2]) {
    if is_skipped("attention at full layer shapes", true) {
        return;
    }
    // Many queries, then single tokens, then some.
    let case = aligned(Case::new(dims, capacity, &tokens, 1));
    let calls = [9, 8, 0].map(|less| tokens.map(|tokens| tokens - less).to_vec());
    check(&case, &calls);
}

#[test]
fn transformerpp() {
    at(dims((20, 1), 128), 1024, [300, 65]);
}

#[test]
fn mamba2_with_attention() {
    at(dims((30, 1), 128), 1024, [200, 130]);
}

#[test]
fn llama() {
    at(dims((20, 1), 128), 4096, [257, 10]);
}

/// One key-value head for ten of queries, half of each turned, in a ring of a window that is full.
#[test]
fn recurrentgemma() {
    at(AttentionDims { window: Some(256), rotary: 128, ..dims((1, 10), 256) }, 256, [256, 40]);
    at(AttentionDims { window: Some(2048), rotary: 128, ..dims((1, 10), 256) }, 2048, [400, 40]);
}
