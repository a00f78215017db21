//! The real thing: libraries found and loaded, kernels compiled, a device opened.
//!
//! Nothing here is linked. [`libraries`] looks for the driver, NVRTC and cuBLASLt when they are asked for and says
//! what is missing; no other file calls into a library that it has not found. [`compile`] makes cubins, which needs no
//! GPU, and [`cache`] keeps them; [`device`] lists what there is, and [`Ready`] says whether it can be computed with.

pub mod cache;
pub mod compile;
mod described;
pub mod device;
mod folders;
pub mod gemm;
pub mod gpu;
pub mod graph;
pub mod libraries;
pub mod modules;
pub mod resources;
mod staging;

use self::{compile::Compiler, device::Device};
use crate::error::GpuError;

/// A GPU that can be computed with: everything else that is needed is there, too.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The GPU.
    pub device: Device,
    /// The compiler of its kernels.
    pub compiler: Compiler,
    /// What they are compiled for.
    pub architecture: String,
    /// Version of cuBLASLt.
    pub cublas_lt: String,
}

impl Ready {
    /// The first GPU that is new enough; the driver's `CUDA_VISIBLE_DEVICES` says which comes first.
    ///
    /// # Errors
    /// What is missing first of driver, GPU, NVRTC and cuBLASLt.
    pub fn first() -> Result<Self, GpuError> {
        let devices = device::devices()?;
        let mut checked = devices.into_iter().map(|device| device.check().map(|()| device));
        // If all are too old, the first says so.
        let first = checked.next().unwrap_or(Err(GpuError::NoDevice));
        let device = first.or_else(|too_old| checked.find_map(Result::ok).ok_or(too_old))?;
        let compiler = Compiler::new()?;
        let architecture = compiler.architecture(device.capability)?;
        let (cublas_lt, _) = gemm::version()?;
        Ok(Self { device, compiler, architecture, cublas_lt })
    }

    /// A name for the kernels together with all that they run with: the GPU, its driver, NVRTC, cuBLASLt, this program.
    ///
    /// # Errors
    /// The driver does not tell its version.
    pub fn company(&self) -> Result<String, GpuError> {
        let driver = device::driver_version()?.to_string();
        let sources = modules::sources();
        let units = sources.iter().map(|source| modules::unit(source, &self.architecture));
        let units: Vec<String> = units.map(|unit| cache::name(&self.compiler, &unit)).collect();
        let program = env!("CARGO_PKG_VERSION");
        let parts = [&self.device.name[..], &driver, &self.cublas_lt, program].into_iter();
        Ok(cache::sum_of(parts.chain(units.iter().map(String::as_str))))
    }
}
