//! Clearing and copying state.

use core::ops::Range;

use longseq_core::{
    backend::{Elements, StateMemory},
    error::{enough, within},
};

use crate::{Cuda, Result, buffer::Buffer, runtime::Runtime};

impl<R: Runtime> StateMemory for Cuda<R> {
    fn clear(&mut self, slab: &mut Buffer<R::Memory>, range: Range<usize>) -> Result<(), R::Error> {
        within("clear", "slab", &range, slab.elements())?;
        if range.is_empty() { Ok(()) } else { self.clear_range(slab, &range) }
    }

    fn copy_within(
        &mut self,
        slab: &mut Buffer<R::Memory>,
        from: Range<usize>,
        to: usize,
    ) -> Result<(), R::Error> {
        within("copy_within", "slab", &from, slab.elements())?;
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
