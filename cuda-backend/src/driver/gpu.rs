//! A real GPU as a [`Runtime`]: one stream, on which everything happens in its order.

use std::{collections::HashMap, ops::Range, sync::Arc};

use cudarc::driver::{
    CudaContext, CudaEvent, CudaFunction, CudaSlice, CudaStream, DevicePtr as _, DriverError,
    result,
    sys::{CUevent_flags, CUresult::CUDA_ERROR_OUT_OF_MEMORY},
};

use super::{
    Ready,
    cache::Compiling,
    device::{Device, failed},
    gemm::{Products, WORKSPACE},
    graph::Graph,
    modules,
    staging::Staging,
};
use crate::{
    error::GpuError,
    kernels::Kernel,
    runtime::{Address, Gemm, Launch, Memory, Runtime},
    steps::Steps,
};

/// A GPU with the project's kernels.
#[derive(Debug)]
pub struct Gpu {
    device: Device,
    functions: HashMap<&'static str, CudaFunction>,
    products: Products,
    workspace: DeviceMemory,
    staging: Staging,
    stream: Arc<CudaStream>,
    context: Arc<CudaContext>,
}

/// Memory of a GPU.
#[derive(Debug)]
pub struct DeviceMemory {
    address: Address,
    slice: CudaSlice<u8>,
}

impl Memory for DeviceMemory {
    fn address(&self) -> Address {
        self.address
    }

    fn bytes(&self) -> usize {
        self.slice.len()
    }
}

impl DeviceMemory {
    /// The address of some of its bytes.
    ///
    /// # Panics
    /// They are not all there.
    fn at(&self, range: Range<usize>) -> Address {
        assert!(range.start <= range.end && range.end <= self.bytes(), "{range:?} is not there");
        self.address + range.start as u64
    }
}

/// A moment on the GPU: when all that was asked for before is done.
#[derive(Debug)]
pub struct Mark(CudaEvent);

impl Mark {
    /// Milliseconds to a later moment. Waits for it.
    ///
    /// # Errors
    /// The device's.
    pub fn milliseconds_to(&self, later: &Self) -> Result<f32, GpuError> {
        self.0.elapsed_ms(&later.0).map_err(failed("tell the time"))
    }
}

impl Gpu {
    /// Opens a GPU. Kernels that have not been compiled for it before are compiled now, and `progress` is told.
    ///
    /// # Errors
    /// The driver's; those of compiling; not enough memory.
    pub fn open(ready: Ready, progress: &mut dyn FnMut(Compiling<'_>)) -> Result<Self, GpuError> {
        let cubins = modules::cubins(&ready, progress)?;
        let opening = failed("open the GPU");
        let context = CudaContext::new(ready.device.ordinal).map_err(&opening)?;
        // SAFETY: everything happens on one stream, so nothing needs to wait for another.
        unsafe { context.disable_event_tracking() };
        let stream = context.new_stream().map_err(&opening)?;
        let functions = modules::functions(&context, &cubins)?;
        let staging = Staging::new(&context).map_err(&opening)?;
        let workspace = allocate(&context, &stream, WORKSPACE)?;
        let products = Products::new()?;
        let device = ready.device;
        Ok(Self { device, functions, products, workspace, staging, stream, context })
    }

    /// Which it is.
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// Bytes of its memory that are free.
    ///
    /// # Errors
    /// The device's.
    pub fn free_memory(&self) -> Result<u64, GpuError> {
        let (free, _) = self.context.mem_get_info().map_err(failed("tell what memory is free"))?;
        Ok(free as u64)
    }

    /// Waits until all that was asked for is done.
    ///
    /// # Errors
    /// The device's, of earlier calls too.
    pub fn wait(&self) -> Result<(), GpuError> {
        self.stream.synchronize().map_err(failed("do what it was asked for"))
    }

    /// Marks the moment, to measure times.
    ///
    /// # Errors
    /// The device's.
    pub fn mark(&self) -> Result<Mark, GpuError> {
        let event = self.stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT));
        event.map(Mark).map_err(failed("mark a moment"))
    }

    fn function(&self, kernel: &Kernel) -> Result<&CudaFunction, GpuError> {
        self.functions.get(kernel.name).ok_or_else(|| GpuError::Launch {
            kernel: kernel.name.to_owned(),
            code: "it is not in the table of kernels".to_owned(),
        })
    }
}

impl Runtime for Gpu {
    type Memory = DeviceMemory;
    type Graph = Graph;
    type Error = GpuError;

    fn allocate(&mut self, bytes: usize) -> Result<DeviceMemory, GpuError> {
        allocate(&self.context, &self.stream, bytes)
    }

    fn upload(&mut self, bytes: &[u8], to: &DeviceMemory, offset: usize) -> Result<(), GpuError> {
        let to = to.at(offset..offset + bytes.len());
        // SAFETY: the bytes are there, and memory is freed in the order of the stream.
        unsafe { self.staging.upload(&self.stream, bytes, to) }.map_err(failed("copy to the GPU"))
    }

    fn download(
        &mut self,
        from: &DeviceMemory,
        offset: usize,
        bytes: &mut [u8],
    ) -> Result<(), GpuError> {
        let from = from.at(offset..offset + bytes.len());
        let copied = self.bound().and_then(|stream| {
            // SAFETY: the bytes are there, on both sides until the copy is done.
            unsafe { result::memcpy_dtoh_async(bytes, from, stream.cu_stream()) }?;
            stream.synchronize()
        });
        copied.map_err(failed("copy from the GPU"))
    }

    fn clear(&mut self, memory: &DeviceMemory, range: Range<usize>) -> Result<(), GpuError> {
        let (at, bytes) = (memory.at(range.clone()), range.len());
        let cleared = self.bound().and_then(|stream| {
            // SAFETY: the bytes are there, and memory is freed in the order of the stream.
            unsafe { result::memset_d8_async(at, 0, bytes, stream.cu_stream()) }
        });
        cleared.map_err(failed("clear the GPU's memory"))
    }

    fn copy(
        &mut self,
        (from, range): (&DeviceMemory, Range<usize>),
        (to, offset): (&DeviceMemory, usize),
    ) -> Result<(), GpuError> {
        let bytes = range.len();
        let (from, to) = (from.at(range), to.at(offset..offset + bytes));
        let copied = self.bound().and_then(|stream| {
            // SAFETY: as above.
            unsafe { result::memcpy_dtod_async(to, from, bytes, stream.cu_stream()) }
        });
        copied.map_err(failed("copy on the GPU"))
    }

    unsafe fn launch(&mut self, launch: &Launch<'_>) -> Result<(), GpuError> {
        let function = self.function(launch.kernel)?.cu_function();
        let [x, y, z] = launch.blocks;
        let mut arguments: Vec<_> =
            launch.arguments.iter().map(|argument| argument.pointer()).collect();
        let launched = self.bound().and_then(|stream| {
            // SAFETY: the arguments are alive, and the caller's for the rest.
            unsafe {
                result::launch_kernel(
                    function,
                    (x, y, z),
                    (launch.threads, 1, 1),
                    launch.dynamic_shared,
                    stream.cu_stream(),
                    &mut arguments,
                )
            }
        });
        launched.map_err(|DriverError(code)| GpuError::Launch {
            kernel: launch.kernel.name.to_owned(),
            code: format!("{code:?}"),
        })
    }

    unsafe fn gemm(&mut self, gemm: &Gemm) -> Result<(), GpuError> {
        let stream = self.bound().map_err(failed("multiply"))?.cu_stream();
        // SAFETY: the caller's; the workspace is this runtime's own.
        unsafe { self.products.multiply(gemm, self.workspace.address, stream) }
    }

    unsafe fn graph(&mut self, steps: &Steps) -> Result<Graph, GpuError> {
        let stream = self.stream.clone();
        // SAFETY: the caller's for the arguments; nothing is read or written.
        Graph::capture(&stream, || unsafe { steps.submit(self) })
    }

    unsafe fn replay(&mut self, graph: &Graph) -> Result<(), GpuError> {
        graph.launch()
    }

    fn multiprocessors(&self) -> usize {
        self.device.multiprocessors as usize
    }
}

impl Gpu {
    /// The stream, on a thread that calls the driver for this GPU.
    fn bound(&self) -> Result<&CudaStream, DriverError> {
        self.context.bind_to_thread().map(|()| &*self.stream)
    }
}

/// Memory, in the order of the stream.
fn allocate(
    context: &Arc<CudaContext>,
    stream: &Arc<CudaStream>,
    bytes: usize,
) -> Result<DeviceMemory, GpuError> {
    // SAFETY: what it holds does not matter; who reads it has written it.
    let slice = unsafe { stream.alloc::<u8>(bytes) }.map_err(|error| match error {
        DriverError(CUDA_ERROR_OUT_OF_MEMORY) => {
            let free = context.mem_get_info().ok().map(|(free, _)| free as u64);
            GpuError::OutOfMemory { wanted: bytes as u64, free }
        }
        error => failed("give memory")(error),
    })?;
    let (address, _) = slice.device_ptr(stream);
    Ok(DeviceMemory { address, slice })
}
