//! Clearing and copying state.

use core::ops::Range;

use longseq_core::{
    backend::{Elements, StateMemory},
    error::{ShapeError, enough},
};

use crate::{Cuda, Result, buffer::Buffer, runtime::Runtime};

impl<R: Runtime> StateMemory for Cuda<R> {
    fn clear(&mut self, slab: &mut Buffer<R::Memory>, range: Range<usize>) -> Result<(), R::Error> {
        check("clear", &range, slab.elements())?;
        if range.is_empty() { Ok(()) } else { self.clear_range(slab, &range) }
    }

    fn copy_within(
        &mut self,
        slab: &mut Buffer<R::Memory>,
        from: Range<usize>,
        to: usize,
    ) -> Result<(), R::Error> {
        check("copy_within", &from, slab.elements())?;
        enough("copy_within", "slab", to.saturating_add(from.len()), slab.elements())?;
        if from.is_empty() || to == from.start {
            return Ok(());
        }
        if to >= from.end || to + from.len() <= from.start {
            return self.copy_range((slab, &from), (slab, to));
        }
        // The two overlap, which slots never do: by way of other memory.
        let beside = self.buffer(from.len(), slab.dtype())?;
        self.copy_range((slab, &from), (&beside, 0))?;
        self.copy_range((&beside, &(0..from.len())), (slab, to))
    }
}

/// Refuses a range that is not within the slab, or that ends before it begins.
fn check(
    operation: &'static str,
    range: &Range<usize>,
    slab: usize,
) -> core::result::Result<(), ShapeError> {
    enough(operation, "slab", range.end, slab)?;
    enough(operation, "end of the range", range.start, range.end)
}
