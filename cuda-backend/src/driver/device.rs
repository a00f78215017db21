//! The driver and the GPUs that it sees.

use std::sync::Arc;

use cudarc::driver::{
    CudaContext,
    result::{self, DriverError},
    sys::{self, CUdevice_attribute as Attribute, CUresult},
};

use super::libraries::Library;
use crate::error::{GpuError, NEEDED_CAPABILITY, NEEDED_DRIVER};

/// A GPU, as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub ordinal: usize,
    /// Its name.
    pub name: String,
    /// Its compute capability: major, minor.
    pub capability: (u32, u32),
    /// Its multiprocessors.
    pub multiprocessors: u32,
    /// Bytes of shared memory that a block can have.
    pub shared_memory: u32,
    /// Bytes of its memory.
    pub memory: u64,
}

impl Device {
    /// Refuses a GPU that the kernels are not written for.
    ///
    /// # Errors
    /// [`GpuError::DeviceTooOld`].
    pub fn check(&self) -> Result<(), GpuError> {
        if self.capability < NEEDED_CAPABILITY {
            return Err(GpuError::DeviceTooOld { name: self.name.clone(), found: self.capability });
        }
        Ok(())
    }

    /// Opens it, which takes some of its memory.
    ///
    /// # Errors
    /// The driver's.
    pub fn open(&self) -> Result<Opened, GpuError> {
        CudaContext::new(self.ordinal).map(Opened).map_err(failed("open the GPU"))
    }
}

/// The driver's answer, where it is not that all is well.
pub(crate) fn failed(doing: &'static str) -> impl Fn(DriverError) -> GpuError {
    move |DriverError(code)| match code {
        CUresult::CUDA_ERROR_NO_DEVICE => GpuError::NoDevice,
        code => GpuError::Driver { doing, code: format!("{code:?}") },
    }
}

/// Version of the driver's interface: 1000 × major + 10 × minor.
///
/// # Errors
/// [`GpuError::NoDriver`], [`GpuError::Driver`].
pub fn driver_version() -> Result<i32, GpuError> {
    Library::Driver.load()?;
    let mut version = 0;
    // SAFETY: the driver is loaded; the function writes one number.
    let answer = unsafe { sys::cuDriverGetVersion(&mut version) };
    answer.result().map_err(failed("tell its version"))?;
    Ok(version)
}

/// Starts the driver.
///
/// # Errors
/// [`GpuError::NoDriver`], [`GpuError::DriverTooOld`], [`GpuError::NoDevice`], [`GpuError::Driver`].
fn start() -> Result<(), GpuError> {
    // A function that an old driver lacks would panic.
    match driver_version()? {
        found if found < NEEDED_DRIVER => Err(GpuError::DriverTooOld { found }),
        _ => result::init().map_err(failed("start")),
    }
}

/// The GPUs, those that are too old among them.
///
/// # Errors
/// As [`driver_version`]; [`GpuError::DriverTooOld`]; [`GpuError::NoDevice`] if there is none.
pub fn devices() -> Result<Vec<Device>, GpuError> {
    start()?;
    let count = result::device::get_count().map_err(failed("count GPUs"))?;
    match usize::try_from(count) {
        Err(_) | Ok(0) => Err(GpuError::NoDevice),
        Ok(count) => (0..count).map(device).collect(),
    }
}

/// A GPU that is held open: until all who hold it are gone, the driver keeps what it made of it.
#[derive(Clone, Debug)]
pub struct Opened(Arc<CudaContext>);

impl Opened {
    /// Bytes of its memory that are free.
    ///
    /// # Errors
    /// The driver's.
    pub fn free_memory(&self) -> Result<u64, GpuError> {
        let (free, _) = self.0.mem_get_info().map_err(failed("tell what memory is free"))?;
        Ok(free as u64)
    }
}

fn device(ordinal: usize) -> Result<Device, GpuError> {
    let failed = failed("describe a GPU");
    let device = i32::try_from(ordinal)
        .map_err(|_| GpuError::NoDevice)
        .and_then(|number| result::device::get(number).map_err(&failed))?;
    let attribute = |attribute: Attribute| {
        // SAFETY: the driver has just given the device.
        let value = unsafe { result::device::get_attribute(device, attribute) };
        value.map(i32::unsigned_abs).map_err(&failed)
    };
    // SAFETY: as above.
    let memory = unsafe { result::device::total_mem(device) }.map_err(&failed)?;
    Ok(Device {
        ordinal,
        name: result::device::get_name(device).map_err(&failed)?,
        capability: (
            attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ),
        multiprocessors: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
        shared_memory: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
        memory: memory as u64,
    })
}
