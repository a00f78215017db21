//! Memory of packed matrices, in pages of 2 MiB where the system has them: to write a token is to read all weights, and
//! with pages of 4 KiB a tenth of that is looking them up.

use core::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use bytemuck::{AnyBitPattern, NoUninit};
use memmap2::MmapMut;

use super::Line;

/// Lines of a matrix.
#[derive(Debug)]
pub struct Pages<T>(MmapMut, PhantomData<T>);

/// So much memory is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory {
    /// Bytes asked for.
    pub bytes: usize,
}

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot get {} bytes of memory for a matrix", self.bytes)
    }
}

impl core::error::Error for NoMemory {}

impl<T> Pages<T> {
    /// So many lines of zeros.
    pub fn zeros(lines: usize) -> Result<Self, NoMemory> {
        let bytes = lines.saturating_mul(size_of::<Line<T>>());
        let map = MmapMut::map_anon(bytes).map_err(|_| NoMemory { bytes })?;
        // Only advice: a system without large pages uses small ones, and Miri has none to advise.
        #[cfg(all(target_os = "linux", not(miri)))]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self(map, PhantomData))
    }
}

impl<T> Deref for Pages<T>
where
    Line<T>: AnyBitPattern,
{
    type Target = [Line<T>];

    fn deref(&self) -> &Self::Target {
        bytemuck::cast_slice(&self.0)
    }
}

impl<T> DerefMut for Pages<T>
where
    Line<T>: AnyBitPattern + NoUninit,
{
    fn deref_mut(&mut self) -> &mut Self::Target {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}
