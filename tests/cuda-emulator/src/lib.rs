//! A [`Runtime`] that runs the shipped kernels on the CPU.
//!
//! The C++ under `cpp/` takes the place of the device half of `device.cuh`: every thread of a block is a fibre, which
//! runs until it has to wait for others. What a GPU may do in any order is done in the order that [`Options`] ask for.
//! Reported as errors, with the place in the source: barriers and warp operations that not all threads reach, threads
//! that wait for ever, accesses beyond a buffer or a shared array, addresses that are not aligned. Memory and shared
//! memory hold NaN until they are written.
//!
//! Not emulated: rounding of the tensor cores and of approximate instructions, timing, `wgmma` and TMA. On Linux with
//! glibc only; elsewhere the crate is empty.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod device;
mod faults;
mod memory;
pub mod probes;

use core::ffi::{CStr, c_void};
use core::ops::Range;
use std::collections::BTreeSet;
use std::ffi::CString;
use std::sync::{Arc, Mutex};

use half::bf16;
use longseq_cuda::kernels;
use longseq_cuda::runtime::{Address, Gemm, Launch, Matrix, Memory as _, Runtime};
use longseq_cuda::steps::Steps;

pub use device::{Arrival, Options, Order, Statistics};
pub use faults::{Fault, faults};
pub use memory::Memory;

use memory::Allocations;

/// The stand-in for a device.
#[derive(Debug)]
pub struct Emulator {
    options: Options,
    fault: CString,
    allocations: Arc<Mutex<Allocations>>,
    statistics: Statistics,
    launches: u64,
    launched: BTreeSet<&'static str>,
    makes_graphs: bool,
}

impl Emulator {
    /// Without memory in use.
    pub fn new(options: Options) -> Self {
        let allocations = Arc::default();
        let statistics = Statistics::default();
        let (fault, launched) = (CString::default(), BTreeSet::new());
        let (launches, makes_graphs) = (0, true);
        Self { options, fault, allocations, statistics, launches, launched, makes_graphs }
    }

    /// With a planted fault.
    ///
    /// # Panics
    /// If its name has a null byte.
    #[must_use]
    pub fn with_fault(self, fault: &Fault) -> Self {
        Self { fault: CString::new(fault.name).expect("a name"), ..self }
    }

    /// That can make no graphs, as a driver that refuses.
    #[must_use]
    pub fn without_graphs(self) -> Self {
        Self { makes_graphs: false, ..self }
    }

    /// What kernels have done so far.
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The kernels that have been launched.
    pub const fn launched(&self) -> &BTreeSet<&'static str> {
        &self.launched
    }

    fn allocations(&self) -> std::sync::MutexGuard<'_, Allocations> {
        self.allocations.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Why a launch or a product failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmulatorError(String);

impl core::fmt::Display for EmulatorError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for EmulatorError {}

type Result<T = ()> = core::result::Result<T, EmulatorError>;

impl Runtime for Emulator {
    type Memory = Memory;
    /// The list itself.
    type Graph = Steps;
    type Error = EmulatorError;

    fn allocate(&mut self, bytes: usize) -> Result<Memory> {
        Memory::new(bytes, &self.allocations)
            .ok_or_else(|| EmulatorError(format!("not enough memory for {bytes} bytes")))
    }

    fn upload(&mut self, bytes: &[u8], to: &Memory, offset: usize) -> Result {
        to.write(offset, bytes);
        Ok(())
    }

    fn download(&mut self, from: &Memory, offset: usize, bytes: &mut [u8]) -> Result {
        from.read(offset, bytes);
        Ok(())
    }

    fn clear(&mut self, memory: &Memory, range: Range<usize>) -> Result {
        memory.write(range.start, &vec![0; range.len()]);
        Ok(())
    }

    fn copy(&mut self, from: (&Memory, Range<usize>), to: (&Memory, usize)) -> Result {
        let (memory, range) = from;
        let overlaps = memory.address() == to.0.address()
            && to.1 < range.end
            && range.start < to.1 + range.len();
        if overlaps && !range.is_empty() {
            return Err(EmulatorError(format!("copy of {range:?} onto itself at {}", to.1)));
        }
        let mut bytes = vec![0; range.len()];
        memory.read(range.start, &mut bytes);
        to.0.write(to.1, &bytes);
        Ok(())
    }

    unsafe fn launch(&mut self, launch: &Launch<'_>) -> Result {
        let Launch { kernel, blocks, threads, dynamic_shared, arguments } = *launch;
        let refuse = |why: String| Err(EmulatorError(format!("{}: {why}", kernel.name)));
        let name = CString::new(kernel.name).expect("a name");
        let Some(entry) = device::Entry::find(&name, &self.fault) else {
            return refuse("no such kernel was built".into());
        };
        let sizes: Vec<usize> = arguments.iter().map(|argument| argument.bytes()).collect();
        if entry.sizes() != sizes {
            return refuse(format!("parameters of {:?} bytes, given {sizes:?}", entry.sizes()));
        }
        if threads == 0 || threads > kernel.threads || !threads.is_multiple_of(32) {
            return refuse(format!("{threads} threads; whole warps, at most {}", kernel.threads));
        }
        if blocks.contains(&0) || dynamic_shared > kernel.dynamic_shared {
            return refuse(format!("{blocks:?} blocks, {dynamic_shared} bytes of shared memory"));
        }
        let mut pointers: Vec<*mut c_void> = arguments.iter().map(|of| of.pointer()).collect();
        self.launches += 1;
        self.launched.insert(kernel.name);
        let options = self.options.of_launch(self.launches);
        let before = self.statistics.static_shared;
        self.statistics.static_shared = 0;
        // SAFETY: the pointers are to values of the parameters' sizes, which live until this returns. What the
        // kernel reaches by them the caller answers for, and what lies elsewhere is noticed.
        let ran = unsafe {
            let shape = (blocks, threads, dynamic_shared as usize);
            entry.launch(shape, &mut pointers, options, &mut self.statistics)
        };
        let taken = self.statistics.static_shared;
        self.statistics.static_shared = taken.max(before);
        if let Err(device::Failure { message, fault }) = ran {
            let place = fault.map(|address| self.allocations().describe(address));
            return refuse(message + &place.unwrap_or_default());
        }
        if taken > u64::from(kernel.static_shared) {
            return refuse(format!("{taken} bytes of static shared memory are above its budget"));
        }
        match self.allocations().damaged() {
            Some(bytes) => refuse(format!("wrote beside a buffer of {bytes} bytes")),
            None => Ok(()),
        }
    }

    unsafe fn gemm(&mut self, gemm: &Gemm) -> Result {
        let Gemm { batch, rows, inputs, outputs, dtype, accumulate, .. } = *gemm;
        for index in 0..batch {
            let read = |of: &Matrix, rows, columns, row: usize| -> Result<Vec<f32>> {
                let first = index * of.batch_stride + row * of.row_stride;
                let (size, _) = (dtype.bytes(), rows);
                let address = of.address + (first * size) as Address;
                let mut bytes = vec![0; columns * size];
                self.allocations().read(address, &mut bytes).map_err(EmulatorError)?;
                Ok(match size {
                    2 => bytes
                        .as_chunks()
                        .0
                        .iter()
                        .map(|&b| bf16::from_le_bytes(b).to_f32())
                        .collect(),
                    _ => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
                })
            };
            let weight: Vec<Vec<f32>> = (0..outputs)
                .map(|row| read(&gemm.weight, outputs, inputs, row))
                .collect::<Result<_>>()?;
            for row in 0..rows {
                let x = read(&gemm.x, rows, inputs, row)?;
                let first = index * gemm.out.batch_stride + row * gemm.out.row_stride;
                let address = gemm.out.address + 4 * first as Address;
                let mut bytes = vec![0; 4 * outputs];
                self.allocations().read(address, &mut bytes).map_err(EmulatorError)?;
                for (bytes, weight) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(&weight) {
                    let before = if accumulate { f32::from_le_bytes(*bytes) } else { 0.0 };
                    *bytes = (before + dot(&x, weight)).to_le_bytes();
                }
                self.allocations().write(address, &bytes).map_err(EmulatorError)?;
            }
        }
        Ok(())
    }

    unsafe fn graph(&mut self, steps: &Steps) -> Result<Steps> {
        if self.makes_graphs {
            return Ok(steps.clone());
        }
        Err(EmulatorError("no graphs are made".into()))
    }

    unsafe fn replay(&mut self, graph: &Steps) -> Result {
        // SAFETY: the caller's.
        unsafe { graph.submit(self) }
    }

    fn multiprocessors(&self) -> usize {
        4
    }
}

/// The inner product in f32, in the reference's order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    longseq_core::numeric::dot::dot(a, b)
}

fn text(message: &[core::ffi::c_char]) -> String {
    let bytes: Vec<u8> = message.iter().map(|&byte| byte as u8).collect();
    CStr::from_bytes_until_nul(&bytes)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}
