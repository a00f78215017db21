//! Matrix products with cuBLASLt.

use cudarc::cublaslt::sys;

use super::libraries::{Found, Library};
use crate::error::GpuError;

/// Version of cuBLASLt (10000 × major + 100 × minor + patch), and where it was found.
///
/// # Errors
/// [`GpuError::NoLibrary`].
pub fn version() -> Result<(usize, &'static Found), GpuError> {
    let found = Library::CublasLt.load()?;
    // SAFETY: the library is loaded; the function takes nothing and needs no GPU.
    Ok((unsafe { sys::cublasLtGetVersion() }, found))
}
