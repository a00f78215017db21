//! The GPU that is computed on, found once.

use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressStyle};
use longseq_cuda::{
    Cuda,
    driver::{Ready, cache::Compiling, device, gpu::Gpu},
    error::GpuError,
};

use crate::{
    error::{Error, Result},
    progress::say,
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

    /// Opens the GPU. Kernels that were never compiled for it are compiled now, which stderr tells of.
    ///
    /// # Errors
    /// The GPU's.
    pub fn open(&self) -> Result<Cuda<Gpu>> {
        let style = ProgressStyle::with_template("{msg}");
        let bar = ProgressBar::new_spinner();
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let mut progress = |step: Compiling<'_>| {
            if bar.is_hidden() && step.number == 1 {
                say(&format!("{step}\n"));
            }
            bar.set_message(step.to_string());
            bar.tick();
        };
        let gpu = Gpu::open(self.ready.clone(), &mut progress);
        bar.finish_and_clear();
        Ok(Cuda::new(gpu.map_err(|source| Error::gpu(&source))?))
    }

    /// The name of the GPU.
    pub fn name(&self) -> &str {
        &self.ready.device.name
    }
}

/// The GPU, or what is missing for one.
pub fn find() -> std::result::Result<&'static Found, &'static GpuError> {
    static FOUND: OnceLock<std::result::Result<Found, GpuError>> = OnceLock::new();
    FOUND.get_or_init(look).as_ref()
}

fn look() -> std::result::Result<Found, GpuError> {
    let ready = Ready::first()?;
    let free = device::free_memory(ready.device.ordinal)?;
    Ok(Found { ready, free })
}
