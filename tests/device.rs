//! What the CUDA backend's tests run on: the emulator or, where `LONGSEQ_GPU` is set, the first GPU of this machine.
//!
//! The same tests in either case. A GPU has its own order, so what the emulator does in every order is done once there;
//! tests of the emulator itself, as those with planted faults are, leave a line and pass.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use core::ops::Range;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::env;
use std::fmt::Display;
use std::rc::Rc;

use longseq_cuda::driver::Ready;
use longseq_cuda::driver::gpu::{DeviceMemory, Gpu};
use longseq_cuda::runtime::{self, Address, Gemm, Launch, Runtime};
use longseq_cuda::steps::Steps;
use longseq_cuda::{Cuda, Version};
use longseq_cuda_emulator::{self as emulator, Emulator, Options, Order, Statistics};

/// The variable that asks for a GPU, unless it is empty.
pub const VARIABLE: &str = "LONGSEQ_GPU";

/// Whether tests run on a GPU.
pub fn is_gpu() -> bool {
    env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
}

/// Whether a test that needs a GPU, or the emulator, is to be left out, and says so.
pub fn is_skipped(what: &str, on_gpu: bool) -> bool {
    let skipped = is_gpu() != on_gpu;
    if skipped && on_gpu {
        println!("skipped: {what}: only on a GPU, which {VARIABLE}=1 asks for");
    } else if skipped {
        println!("skipped: {what}: only in the emulator");
    }
    skipped
}

/// Those of the emulator's options that are tried: on a GPU any, once.
fn tried(options: impl Iterator<Item = Options>) -> impl Iterator<Item = Options> {
    options.take(if is_gpu() { 1 } else { usize::MAX })
}

/// Every order, for kernels without asynchronous copies.
pub fn orders(seed: u64) -> impl Iterator<Item = Options> {
    tried(Options::orders(seed))
}

/// Every order with every arrival.
pub fn all(seed: u64) -> impl Iterator<Item = Options> {
    tried(Options::all(seed))
}

/// The backend, with fast kernels.
pub fn cuda(options: Options) -> Cuda<Device> {
    Cuda::new(Device::new(options))
}

/// Both versions of the kernels, with a name.
fn versions(options: Options) -> impl Iterator<Item = (String, Cuda<Device>)> {
    [Version::Plain, Version::Fast].into_iter().map(move |version| {
        (format!("{version:?} kernels, {options:?}"), cuda(options).version(version))
    })
}

/// Both versions of the kernels, in every order that a GPU may run them in.
pub fn emulated(seed: u64) -> impl Iterator<Item = (String, Cuda<Device>)> {
    orders(seed).flat_map(versions)
}

/// Both versions, in one order.
pub fn either(seed: u64) -> impl Iterator<Item = (String, Cuda<Device>)> {
    versions(Options { order: Order::Random, seed, ..Options::default() })
}

/// The emulator, or a GPU.
#[derive(Debug)]
pub enum Device {
    /// In one of the orders.
    Emulated(Emulator),
    /// The thread's, and the kernels that were launched here.
    Real(Rc<RefCell<Gpu>>, BTreeSet<&'static str>),
}

thread_local! {
    /// Opening one takes longer than most tests.
    static GPU: Rc<RefCell<Gpu>> = Rc::new(RefCell::new(open()));
}

fn open() -> Gpu {
    let gpu = Ready::first().and_then(|ready| Gpu::open(ready, &mut |_| {}));
    gpu.unwrap_or_else(|error| panic!("{VARIABLE} is set: {error}\nhelp: {}", error.help()))
}

impl Device {
    /// The GPU, or the emulator with these options.
    ///
    /// # Panics
    /// There is no GPU where one is asked for.
    pub fn new(options: Options) -> Self {
        if is_gpu() {
            return Self::Real(GPU.with(Rc::clone), BTreeSet::new());
        }
        Self::Emulated(Emulator::new(options))
    }

    /// What the emulator has counted.
    pub const fn statistics(&self) -> Option<&Statistics> {
        match self {
            Self::Emulated(emulator) => Some(emulator.statistics()),
            Self::Real(..) => None,
        }
    }

    /// The kernels that have been launched.
    pub const fn launched(&self) -> &BTreeSet<&'static str> {
        match self {
            Self::Emulated(emulator) => emulator.launched(),
            Self::Real(_, launched) => launched,
        }
    }
}

/// Memory of either.
#[derive(Debug)]
pub enum Memory {
    /// Of the emulator.
    Emulated(emulator::Memory),
    /// Of the GPU.
    Real(DeviceMemory),
}

impl runtime::Memory for Memory {
    fn address(&self) -> Address {
        match self {
            Self::Emulated(memory) => memory.address(),
            Self::Real(memory) => memory.address(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Emulated(memory) => memory.bytes(),
            Self::Real(memory) => memory.bytes(),
        }
    }
}

/// A graph of either.
#[derive(Debug)]
pub enum Graph {
    /// Of the emulator.
    Emulated(<Emulator as Runtime>::Graph),
    /// Of the GPU.
    Real(<Gpu as Runtime>::Graph),
}

/// What either says went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceError(String);

impl Display for DeviceError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for DeviceError {}

type Result<T = ()> = core::result::Result<T, DeviceError>;

fn said(error: impl Display) -> DeviceError {
    DeviceError(error.to_string())
}

const OTHER: &str = "memory of this device";

impl Runtime for Device {
    type Memory = Memory;
    type Graph = Graph;
    type Error = DeviceError;

    fn allocate(&mut self, bytes: usize) -> Result<Memory> {
        match self {
            Self::Emulated(on) => on.allocate(bytes).map(Memory::Emulated).map_err(said),
            Self::Real(on, _) => on.borrow_mut().allocate(bytes).map(Memory::Real).map_err(said),
        }
    }

    fn upload(&mut self, bytes: &[u8], to: &Memory, offset: usize) -> Result {
        match (self, to) {
            (Self::Emulated(on), Memory::Emulated(to)) => {
                on.upload(bytes, to, offset).map_err(said)
            }
            (Self::Real(on, _), Memory::Real(to)) => {
                on.borrow_mut().upload(bytes, to, offset).map_err(said)
            }
            _ => unreachable!("{OTHER}"),
        }
    }

    fn download(&mut self, from: &Memory, offset: usize, bytes: &mut [u8]) -> Result {
        match (self, from) {
            (Self::Emulated(on), Memory::Emulated(from)) => {
                on.download(from, offset, bytes).map_err(said)
            }
            (Self::Real(on, _), Memory::Real(from)) => {
                on.borrow_mut().download(from, offset, bytes).map_err(said)
            }
            _ => unreachable!("{OTHER}"),
        }
    }

    fn clear(&mut self, memory: &Memory, range: Range<usize>) -> Result {
        match (self, memory) {
            (Self::Emulated(on), Memory::Emulated(memory)) => on.clear(memory, range).map_err(said),
            (Self::Real(on, _), Memory::Real(memory)) => {
                on.borrow_mut().clear(memory, range).map_err(said)
            }
            _ => unreachable!("{OTHER}"),
        }
    }

    fn copy(&mut self, from: (&Memory, Range<usize>), to: (&Memory, usize)) -> Result {
        match (self, from, to) {
            (
                Self::Emulated(on),
                (Memory::Emulated(from), range),
                (Memory::Emulated(to), offset),
            ) => on.copy((from, range), (to, offset)).map_err(said),
            (Self::Real(on, _), (Memory::Real(from), range), (Memory::Real(to), offset)) => {
                on.borrow_mut().copy((from, range), (to, offset)).map_err(said)
            }
            _ => unreachable!("{OTHER}"),
        }
    }

    unsafe fn launch(&mut self, launch: &Launch<'_>) -> Result {
        match self {
            // SAFETY: the caller's.
            Self::Emulated(on) => unsafe { on.launch(launch) }.map_err(said),
            Self::Real(on, launched) => {
                launched.insert(launch.kernel.name);
                let mut gpu = on.borrow_mut();
                // SAFETY: the caller's.
                unsafe { gpu.launch(launch) }.map_err(said)?;
                // The kernel that made a mistake is to be named, and not what waits for it next.
                gpu.wait().map_err(|error| said(format!("{}: {error}", launch.kernel.name)))
            }
        }
    }

    unsafe fn gemm(&mut self, gemm: &Gemm) -> Result {
        match self {
            // SAFETY: the caller's.
            Self::Emulated(on) => unsafe { on.gemm(gemm) }.map_err(said),
            // SAFETY: the caller's.
            Self::Real(on, _) => unsafe { on.borrow_mut().gemm(gemm) }.map_err(said),
        }
    }

    unsafe fn graph(&mut self, steps: &Steps) -> Result<Graph> {
        match self {
            // SAFETY: the caller's.
            Self::Emulated(on) => unsafe { on.graph(steps) }.map(Graph::Emulated).map_err(said),
            Self::Real(on, _) => {
                // SAFETY: the caller's.
                unsafe { on.borrow_mut().graph(steps) }.map(Graph::Real).map_err(said)
            }
        }
    }

    unsafe fn replay(&mut self, graph: &Graph) -> Result {
        match (self, graph) {
            (Self::Emulated(on), Graph::Emulated(graph)) => {
                // SAFETY: the caller's.
                unsafe { on.replay(graph) }.map_err(said)
            }
            (Self::Real(on, _), Graph::Real(graph)) => {
                // SAFETY: the caller's.
                unsafe { on.borrow_mut().replay(graph) }.map_err(said)
            }
            _ => unreachable!("a graph of this device"),
        }
    }

    fn multiprocessors(&self) -> usize {
        match self {
            Self::Emulated(on) => on.multiprocessors(),
            Self::Real(on, _) => on.borrow().multiprocessors(),
        }
    }
}
