//! What a model takes of a GPU's memory.

use longseq_core::{
    hybrid::config::{FeedForward, ModelConfig, Recurrence},
    numeric::{compute::Compute, tensor::Dtype},
    scratch::{ScratchElements, scratch},
    state::StateLayout,
};
use longseq_cpu::memory::Kinds;

use super::sizes::Sizes;
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

/// The scratch buffers of a forward pass of so many tokens, in the order of core's `Scratch`: elements and dtype of each.
/// Where all products are of bf16 `factors`, so is what only they read, `normed` and `mixed`; everything else is f32. All
/// is in RWKV-6: its token shifts carry what is normed, and what rounding `mixed` would save is not worth its error.
pub fn buffers(config: &ModelConfig, tokens: usize, factors: Dtype) -> [(usize, Dtype); 5] {
    let ScratchElements { residual, projected, convolved, mixed } = scratch(config, tokens);
    let shifts = matches!(config.recurrence, Some(Recurrence::Wkv6(_)))
        || matches!(config.feed_forward, Some(FeedForward::ChannelMix(_)));
    let factors = if shifts { Dtype::F32 } else { factors };
    [
        (residual, Dtype::F32),
        (residual, factors),
        (projected, Dtype::F32),
        (convolved, Dtype::F32),
        (mixed, factors),
    ]
}

/// Bytes of a forward pass of so many tokens: activations, and as much again that operations work in.
fn working_bytes(config: &ModelConfig, tokens: usize, factors: Dtype) -> u64 {
    let buffers = buffers(config, tokens, factors);
    let bytes = buffers.map(|(elements, dtype)| elements.saturating_mul(dtype.bytes()) as u64);
    bytes.iter().fold(0, |all: u64, bytes| all.saturating_add(bytes.saturating_mul(2)))
}

/// Tokens of one forward pass where so many bytes are free: the same in every precision.
pub fn tokens_of_a_pass(config: &ModelConfig, capacity: usize, free: u64) -> usize {
    let mut tokens = MOST_TOKENS;
    let bytes = |tokens| working_bytes(config, tokens, Dtype::F32);
    while tokens > FEWEST_TOKENS && bytes(tokens) > free / WORKING_PART {
        tokens /= 2;
    }
    if config.reads_prompts_whole() { capacity.max(tokens) } else { tokens }
}

/// What packing is to the CPU: the weights' bytes on the GPU, and of what products are made.
///
/// # Errors
/// Weights of odd shapes.
pub fn packing(checkpoint: &Checkpoint, compute: Compute) -> Result<Packing> {
    let sizes = Sizes::of(checkpoint, compute)?;
    let bytes = usize::try_from(sizes.bytes).unwrap_or(usize::MAX);
    let f32 = sizes.factors == Dtype::F32;
    Ok(Packing { bytes, peak: bytes, kinds: Kinds { bf16: !f32, f32 }, ..Packing::default() })
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
    let factors = if packing.kinds.f32 { Dtype::F32 } else { Dtype::Bf16 };
    let working = working_bytes(config, tokens, factors);
    let buffers = working.saturating_add(logits).saturating_add(BESIDE);
    Ok(Memory {
        program: 0,
        weights: packing.bytes as u64,
        packing: 0,
        state: bytes(state, Dtype::F32),
        cache: bytes(cache, rounded_to(compute)),
        buffers,
    })
}
