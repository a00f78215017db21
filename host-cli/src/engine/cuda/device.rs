//! The GPU that is computed on, found once.

use std::{env, sync::OnceLock};

use indicatif::{ProgressBar, ProgressStyle};
use longseq_cuda::{
    Cuda,
    driver::{
        Ready,
        cache::{Cache, Compiling},
        device::Opened,
        gpu::Gpu,
    },
    error::GpuError,
};

use super::check;
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
    /// Opening a GPU again while it is open takes no time.
    _opened: Opened,
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
    let opened = ready.device.open()?;
    Ok(Found { ready, free: opened.free_memory()?, _opened: opened })
}

/// The variable that, unless it is empty, has a GPU used without [`check`], to find out what is wrong with it.
const UNCHECKED: &str = "LONGSEQ_GPU_UNCHECKED";

/// The GPU to compute on: as [`find`], and its kernels compute what the CPU does. Where these have never run in this
/// company, that is found out now.
pub fn checked() -> std::result::Result<&'static Found, &'static Error> {
    static CHECKED: OnceLock<Result<&Found>> = OnceLock::new();
    CHECKED.get_or_init(look_and_check).as_ref().copied()
}

fn look_and_check() -> Result<&'static Found> {
    let found = find().map_err(Error::gpu)?;
    if env::var_os(UNCHECKED).is_some_and(|value| !value.is_empty()) {
        return Ok(found);
    }
    let (cache, company) = (Cache::of_user(), found.ready.company());
    let company = company.map_err(|source| Error::gpu(&source))?;
    if !cache.is_noted(&company) {
        check::compare(found.open()?)?;
        cache.note(&company);
    }
    Ok(found)
}
