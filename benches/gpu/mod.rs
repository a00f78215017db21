//! What benchmarks ask of a GPU beside the backend: its ceilings, and the time of each kernel beside the least it could take.

pub mod ceilings;
pub mod floors;
pub mod timed;

use longseq::{
    engine::cuda::{self, Found},
    error::{Error, Result},
};
use longseq_cuda::driver::gpu::Gpu;

/// The GPU that was found, opened once more.
///
/// # Errors
/// No GPU; the driver's.
pub fn open() -> Result<(&'static Found, Gpu)> {
    let found = cuda::find().map_err(Error::gpu)?;
    let gpu = Gpu::open(found.ready.clone(), &mut |_| {});
    Ok((found, gpu.map_err(|source| Error::gpu(&source))?))
}
