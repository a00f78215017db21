//! What a model takes of a GPU's memory.

use longseq_core::{
    hybrid::config::ModelConfig,
    numeric::{compute::Compute, tensor::Dtype},
    scratch::scratch,
    state::StateLayout,
};

use super::sizes;
use crate::{
    checkpoint::Checkpoint,
    engine::{memory::Memory, packed::Packing, worker::internal},
    error::Result,
};

/// Where sequences are cut: at whole chunks of the scans.
pub const GRID: usize = 64;

/// Tokens of one forward pass, at most: enough for matrix products to be as fast as they get.
const MOST_TOKENS: usize = 8192;

/// And at least.
pub const FEWEST_TOKENS: usize = 512;

/// Of the memory that is free, a forward pass works in no more than one part of so many.
const WORKING_PART: u64 = 8;

/// Bytes that products work in, and what the driver keeps beside.
const BESIDE: u64 = 96 << 20;

/// Of the memory that is free, what a model may take: the driver cuts it into pieces.
pub const fn usable(free: u64) -> u64 {
    free / 20 * 19
}

/// Keys and values, and what a scan multiplies beside weights, are rounded to bf16, but where all is to be f32.
pub const fn rounded_to(compute: Compute) -> Dtype {
    match compute {
        Compute::F32 => Dtype::F32,
        Compute::Exact | Compute::Bf16 => Dtype::Bf16,
    }
}

/// Bytes of a forward pass of so many tokens: activations, and as much again that operations work in.
fn working_bytes(config: &ModelConfig, tokens: usize) -> u64 {
    let elements = scratch(config, tokens).total() as u64;
    elements.saturating_mul(2 * size_of::<f32>() as u64)
}

/// Tokens of one forward pass where so many bytes are free.
pub fn tokens_of_a_pass(config: &ModelConfig, capacity: usize, free: u64) -> usize {
    let mut tokens = MOST_TOKENS;
    while tokens > FEWEST_TOKENS && working_bytes(config, tokens) > free / WORKING_PART {
        tokens /= 2;
    }
    if config.reads_prompts_whole() { capacity.max(tokens) } else { tokens }
}

/// What packing is to the CPU: the weights' bytes on the GPU.
///
/// # Errors
/// Weights of odd shapes.
pub fn packing(checkpoint: &Checkpoint, compute: Compute) -> Result<Packing> {
    let bytes = usize::try_from(sizes::bytes(checkpoint, compute)?).unwrap_or(usize::MAX);
    Ok(Packing { bytes, peak: bytes, ..Packing::default() })
}

/// What a model takes, for `slots` sequences of at most `capacity` tokens, where so many bytes are free.
///
/// # Errors
/// A configuration that describes no model.
pub fn memory(
    (config, compute): (&ModelConfig, Compute),
    packing: &Packing,
    (slots, capacity): (usize, usize),
    free: u64,
) -> Result<Memory> {
    let layout = StateLayout::new(config, 1, capacity).map_err(internal)?;
    let (state, cache) = layout.slot_elements();
    let bytes = |elements: usize, dtype: Dtype| elements.saturating_mul(dtype.bytes()) as u64;
    let tokens = tokens_of_a_pass(config, capacity, free);
    let logits = bytes(config.vocabulary.saturating_mul(slots), Dtype::F32);
    let buffers = working_bytes(config, tokens).saturating_add(logits).saturating_add(BESIDE);
    Ok(Memory {
        program: 0,
        weights: packing.bytes as u64,
        packing: 0,
        state: bytes(state, Dtype::F32),
        cache: bytes(cache, rounded_to(compute)),
        buffers,
    })
}
