//! Clearing and copying state.

use core::ops::Range;

use longseq_core::{
    backend::StateMemory,
    error::{ShapeError, enough},
};

use crate::{Cpu, Result};

impl StateMemory for Cpu {
    fn clear(&mut self, slab: &mut [f32], range: Range<usize>) -> Result {
        check("clear", &range, slab.len())?;
        slab[range].fill(0.0);
        Ok(())
    }

    fn copy_within(&mut self, slab: &mut [f32], from: Range<usize>, to: usize) -> Result {
        check("copy_within", &from, slab.len())?;
        enough("copy_within", "slab", to.saturating_add(from.len()), slab.len())?;
        slab.copy_within(from, to);
        Ok(())
    }
}

/// Refuses a range that is not within the slab, or that ends before it begins.
fn check(operation: &'static str, range: &Range<usize>, slab: usize) -> Result<(), ShapeError> {
    enough(operation, "slab", range.end, slab)?;
    enough(operation, "end of the range", range.start, range.end)
}
