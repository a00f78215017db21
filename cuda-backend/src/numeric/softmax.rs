//! The greedy choice.

use longseq_core::{backend::Elements, error::enough};

use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::ARGMAX,
    launch::{Grid, i32_of},
    runtime::{Argument, Runtime},
    staging::Work,
};

impl<R: Runtime> Cuda<R> {
    /// Index of the largest element of each of the first `rows` rows of `width`, the lowest of equals; `None` where a row
    /// is empty or holds a NaN. Of the logits no more than that leaves the device.
    ///
    /// # Errors
    /// Fewer elements than that; the device's.
    pub fn argmax(
        &mut self,
        (rows, width): (usize, usize),
        x: &Buffer<R::Memory>,
    ) -> Result<Vec<Option<usize>>, R::Error> {
        let operation = "argmax";
        enough(operation, "x", rows.saturating_mul(width), x.elements())?;
        let best = self.work_buffer(Work::Other, rows)?;
        let arguments = [
            Argument::Address(x.f32((operation, "x"))?),
            Argument::Address(best.address()),
            i32_of((operation, "rows"), rows)?,
            i32_of((operation, "width"), width)?,
        ];
        let (plain, fast) = (Grid::threads(rows), Grid::blocks(rows, width.div_ceil(4)));
        // SAFETY: x has `rows` rows of `width`; there is an `int` for each in `best`.
        unsafe { self.launch_version(&ARGMAX, plain, fast, &arguments) }?;
        let mut found = vec![0; 4 * rows];
        self.download_bytes(&best, &mut found)?;
        let index = |bytes: &[u8; 4]| usize::try_from(i32::from_ne_bytes(*bytes)).ok();
        Ok(found.as_chunks().0.iter().map(index).collect())
    }
}
