//! Launching: the grid, and the version.

use longseq_core::error::{ShapeError, enough};

use crate::{
    Cuda, Result,
    kernels::{Kernel, Versions},
    runtime::{Argument, Launch, Runtime},
};

/// Threads of a warp.
const WARP: usize = 32;

/// Which of a kernel's versions run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The plain ones, which are obviously right.
    Plain,
    /// The fast ones.
    Fast,
}

/// Blocks of a launch, and how many threads each could use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) blocks: [usize; 3],
    pub(crate) threads: usize,
    pub(crate) dynamic_shared: usize,
}

/// Threads of a block whose threads do not need each other.
const APART: usize = 256;

impl Grid {
    /// `blocks` blocks, each of which has work for `threads` threads.
    pub(crate) const fn blocks(blocks: usize, threads: usize) -> Self {
        Self { blocks: [blocks, 1, 1], threads, dynamic_shared: 0 }
    }

    /// A thread for each of `items`.
    pub(crate) const fn threads(items: usize) -> Self {
        Self::blocks(items.div_ceil(APART), APART)
    }

    /// Block (r, j) for the j-th piece of row r, a thread for every four neighbours in it.
    pub(crate) const fn fours(rows: usize, width: usize) -> Self {
        let fours = width.div_ceil(4);
        let threads = if fours < APART { fours } else { APART };
        Self { blocks: [rows, fours.div_ceil(APART), 1], threads, dynamic_shared: 0 }
    }

    /// A warp for each of `items`.
    pub(crate) const fn warps(items: usize) -> Self {
        Self::threads(items.saturating_mul(WARP))
    }
}

/// `value` as a kernel takes it.
pub(crate) fn i32_of(name: (&'static str, &'static str), value: usize) -> Result32 {
    match i32::try_from(value) {
        Ok(value) => Ok(Argument::I32(value)),
        Err(_) => {
            let (operation, operand) = name;
            Err(ShapeError { operation, operand, expected: i32::MAX as usize, found: value })
        }
    }
}

/// The same in 64 bits.
pub(crate) const fn i64_of(value: usize) -> Argument {
    Argument::I64(value as i64)
}

type Result32 = core::result::Result<Argument, ShapeError>;

impl<R: Runtime> Cuda<R> {
    /// Launches a kernel; nothing where there are no blocks.
    ///
    /// # Safety
    /// As [`Runtime::launch`].
    pub(crate) unsafe fn launch(
        &mut self,
        kernel: &Kernel,
        grid: Grid,
        arguments: &[Argument],
    ) -> Result<(), R::Error> {
        if grid.blocks.contains(&0) {
            return Ok(());
        }
        for (blocks, most) in grid.blocks.into_iter().zip([i32::MAX as usize, 65_535, 65_535]) {
            enough(kernel.name, "blocks", blocks, most)?;
        }
        let (shared, most) = (grid.dynamic_shared, kernel.dynamic_shared as usize);
        enough(kernel.name, "shared memory", shared, most)?;
        let threads = grid.threads.max(1).next_multiple_of(WARP).min(kernel.threads as usize);
        let launch = Launch {
            kernel,
            blocks: grid.blocks.map(|blocks| blocks as u32),
            threads: threads as u32,
            dynamic_shared: shared as u32,
            arguments,
        };
        // SAFETY: the caller's.
        unsafe { self.queue.launch(&launch) }
    }

    /// Launches the version that is asked for, with its grid; both take the same arguments.
    ///
    /// # Safety
    /// As [`Runtime::launch`], for both.
    pub(crate) unsafe fn launch_version(
        &mut self,
        kernels: &Versions,
        plain: Grid,
        fast: Grid,
        arguments: &[Argument],
    ) -> Result<(), R::Error> {
        let (kernel, grid) = match self.version {
            Version::Plain => (&kernels.plain, plain),
            Version::Fast => (&kernels.fast, fast),
        };
        // SAFETY: the caller's.
        unsafe { self.launch(kernel, grid, arguments) }
    }
}
