//! What slots remember.

use longseq_core::{
    hybrid::config::ModelConfig,
    state::{State, StateLayout},
};
use longseq_cuda::{buffer::Buffer, runtime::Memory};

use crate::{engine::worker::internal, error::Result};

/// State and cache of every slot, on the device, and how many tokens each holds.
#[derive(Debug)]
pub struct Slots<M> {
    /// Tokens of each, at most.
    pub capacity: usize,
    pub recurrent: Buffer<M>,
    pub cache: Buffer<M>,
    pub positions: Vec<usize>,
}

impl<M: Memory> Slots<M> {
    pub fn state<'s>(&'s mut self, config: &'s ModelConfig) -> Result<State<'s, Buffer<M>>> {
        let Self { capacity, recurrent, cache, positions } = self;
        let layout = StateLayout::new(config, positions.len(), *capacity).map_err(internal)?;
        State::new(layout, recurrent, cache, positions).map_err(internal)
    }
}
