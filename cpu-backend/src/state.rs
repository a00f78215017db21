//! Clearing and copying state.

use core::ops::Range;

use longseq_core::{
    backend::StateMemory,
    error::{enough, within},
};

use crate::{Cpu, Result};

impl StateMemory for Cpu {
    fn clear(&mut self, slab: &mut [f32], range: Range<usize>) -> Result {
        within("clear", "slab", &range, slab.len())?;
        slab[range].fill(0.0);
        Ok(())
    }

    fn copy_within(&mut self, slab: &mut [f32], from: Range<usize>, to: usize) -> Result {
        within("copy_within", "slab", &from, slab.len())?;
        enough("copy_within", "slab", to.saturating_add(from.len()), slab.len())?;
        slab.copy_within(from, to);
        Ok(())
    }
}
