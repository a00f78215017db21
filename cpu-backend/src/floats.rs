//! Buffers of f32 that begin at a cache line: a vector that lies across two lines takes twice as long to read or write,
//! and what an allocator gives begins 16 bytes after one.

use core::ops::{Deref, DerefMut};
use std::collections::TryReserveError;

use crate::gemm::Line;

/// Elements of a line.
const LINE: usize = 16;

/// f32 in whole cache lines.
#[derive(Debug, Default)]
pub struct Floats {
    lines: Vec<Line<f32>>,
    elements: usize,
}

impl Floats {
    /// So many zeros.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn zeros(elements: usize) -> Result<Self, TryReserveError> {
        let mut floats = Self::default();
        floats.reserve(elements)?;
        floats.room(elements);
        Ok(floats)
    }

    /// Gives `needed` elements; the buffer grows where it is shorter.
    pub(crate) fn room(&mut self, needed: usize) -> &mut [f32] {
        crate::room(&mut self.lines, needed.div_ceil(LINE));
        self.elements = self.elements.max(needed);
        &mut self[..needed]
    }

    /// Makes room for so many elements in all.
    pub(crate) fn reserve(&mut self, elements: usize) -> Result<(), TryReserveError> {
        crate::memory::reserve(&mut self.lines, elements.div_ceil(LINE))
    }
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.elements]
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.elements]
    }
}

impl FromIterator<f32> for Floats {
    fn from_iter<I: IntoIterator<Item = f32>>(values: I) -> Self {
        let values: Vec<f32> = values.into_iter().collect();
        let mut floats = Self::default();
        floats.room(values.len()).copy_from_slice(&values);
        floats
    }
}
