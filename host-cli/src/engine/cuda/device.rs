//! The GPU that is computed on, found once.

use std::sync::OnceLock;

use longseq_cuda::{
    driver::{Ready, device},
    error::GpuError,
};

/// A GPU with all that it needs.
#[derive(Debug)]
pub struct Found {
    /// The GPU and the compiler of its kernels.
    pub ready: Ready,
    /// Bytes of its memory that were free.
    pub free: u64,
}

impl Found {
    /// The name in plans and reports: all that results depend on.
    pub fn backend(&self) -> String {
        let Ready { architecture, cublas_lt, .. } = &self.ready;
        format!("cuda {architecture} cublaslt {cublas_lt}")
    }

    /// The name of the GPU.
    pub fn name(&self) -> &str {
        &self.ready.device.name
    }
}

/// Whether there are kernels for whole models.
const FINISHED: bool = false;

/// The GPU, or what is missing for one.
pub fn find() -> Result<&'static Found, &'static GpuError> {
    static FOUND: OnceLock<Result<Found, GpuError>> = OnceLock::new();
    FOUND.get_or_init(look).as_ref()
}

fn look() -> Result<Found, GpuError> {
    let ready = Ready::first()?;
    if !FINISHED {
        return Err(GpuError::Unfinished);
    }
    let free = device::free_memory(ready.device.ordinal)?;
    Ok(Found { ready, free })
}
