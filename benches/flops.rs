//! What a prompt takes.

use longseq::checkpoint::Checkpoint;
use longseq_core::hybrid::config::{Mixer, ModelConfig};

/// Of a prompt: two a parameter that every token meets, and the products of attention. What
/// recurrences take is not counted.
pub fn flops(config: &ModelConfig, checkpoint: &Checkpoint, length: usize) -> f64 {
    let tables = if config.tied_head { 1 } else { 2 } * config.vocabulary * config.width;
    let parameters = checkpoint.parameters() as f64 - tables as f64;
    let attention: f64 = (0..config.layers)
        .filter_map(|layer| match config.mixer(layer) {
            Some(Mixer::Attention(of)) => Some(of.dims),
            _ => None,
        })
        .map(|dims| {
            let seen: usize = (0..length).map(|position| dims.seen(position).len()).sum();
            4.0 * seen as f64 * dims.query_width() as f64
        })
        .sum();
    2.0 * parameters * length as f64 + attention
}
