//! What runs kernels and owns memory: a device, or what stands in for one in tests.

use core::ffi::c_void;
use core::ops::Range;

use longseq_core::numeric::tensor::Dtype;

use crate::{kernels::Kernel, steps::Steps};

/// An address on the device.
pub type Address = u64;

/// A piece of device memory, freed when dropped, once what was asked for before is done.
pub trait Memory {
    /// Where it begins: a multiple of 16.
    fn address(&self) -> Address;
    /// How many bytes it has.
    fn bytes(&self) -> usize;
}

/// One value of a kernel's parameter list. Equal to another if a kernel cannot tell them apart.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// A pointer, null where 0.
    Address(Address),
    /// `int`.
    I32(i32),
    /// `i64`.
    I64(i64),
    /// `float`.
    F32(f32),
}

impl PartialEq for Argument {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Address(a), Self::Address(b)) => a == b,
            (Self::I32(a), Self::I32(b)) => a == b,
            (Self::I64(a), Self::I64(b)) => a == b,
            // 0 and −0 differ.
            (Self::F32(a), Self::F32(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Argument {}

impl Argument {
    /// Where the value lies, as a launch takes it.
    pub const fn pointer(&self) -> *mut c_void {
        let pointer: *const c_void = match self {
            Self::Address(value) => core::ptr::from_ref(value).cast(),
            Self::I32(value) => core::ptr::from_ref(value).cast(),
            Self::I64(value) => core::ptr::from_ref(value).cast(),
            Self::F32(value) => core::ptr::from_ref(value).cast(),
        };
        pointer.cast_mut()
    }

    /// Bytes of the value.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::Address(_) | Self::I64(_) => 8,
            Self::I32(_) | Self::F32(_) => 4,
        }
    }
}

/// One launch.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// What is launched.
    pub kernel: &'a Kernel,
    /// Blocks, of which there is at least one: at most 2³¹ − 1, 65,535 and 65,535.
    pub blocks: [u32; 3],
    /// Threads of a block: whole warps, at most those of the kernel.
    pub threads: u32,
    /// Bytes of dynamic shared memory.
    pub dynamic_shared: u32,
    /// As many as the kernel has parameters, of their types.
    pub arguments: &'a [Argument],
}

/// A matrix of a product, or several of one size at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The first element.
    pub address: Address,
    /// Elements from one row to the next.
    pub row_stride: usize,
    /// Elements from one matrix to the next.
    pub batch_stride: usize,
}

/// Products out = x Wᵀ, or out + x Wᵀ, row-major: x \[rows, inputs\], W \[outputs, inputs\], out \[rows, outputs\].
/// Factors are both of one dtype, sums and out are f32 (not rounded to TF32 on the way).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    /// How many products.
    pub batch: usize,
    /// Rows of x and out.
    pub rows: usize,
    /// Columns of x and W.
    pub inputs: usize,
    /// Rows of W, columns of out.
    pub outputs: usize,
    /// Of x and W: bf16 or f32.
    pub dtype: Dtype,
    /// x.
    pub x: Matrix,
    /// W.
    pub weight: Matrix,
    /// out, f32.
    pub out: Matrix,
    /// Whether products are added to what out holds or replace it.
    pub accumulate: bool,
}

/// What runs kernels and owns memory. Calls take effect in their order; only [`Self::download`] waits for them.
pub trait Runtime {
    /// Memory.
    type Memory: Memory;
    /// Launches and products that are asked for at once.
    type Graph: core::fmt::Debug;
    /// What can go wrong.
    type Error: core::error::Error + 'static;

    /// So many bytes, at least one; what they hold does not matter.
    ///
    /// # Errors
    /// Not enough memory.
    fn allocate(&mut self, bytes: usize) -> Result<Self::Memory, Self::Error>;

    /// Copies `bytes` to the memory, from `offset` on.
    ///
    /// # Errors
    /// The device's.
    ///
    /// # Panics
    /// Beyond the memory, as all of these: the caller has checked.
    fn upload(&mut self, bytes: &[u8], to: &Self::Memory, offset: usize)
    -> Result<(), Self::Error>;

    /// Copies as many bytes as `bytes` has from the memory, from `offset` on, when all that was asked for before is
    /// done.
    ///
    /// # Errors
    /// The device's, of earlier calls too.
    fn download(
        &mut self,
        from: &Self::Memory,
        offset: usize,
        bytes: &mut [u8],
    ) -> Result<(), Self::Error>;

    /// Sets bytes to 0.
    ///
    /// # Errors
    /// The device's.
    fn clear(&mut self, memory: &Self::Memory, range: Range<usize>) -> Result<(), Self::Error>;

    /// Copies bytes on the device, to the place that begins at `to`; the two do not overlap.
    ///
    /// # Errors
    /// The device's.
    fn copy(
        &mut self,
        from: (&Self::Memory, Range<usize>),
        to: (&Self::Memory, usize),
    ) -> Result<(), Self::Error>;

    /// Launches a kernel.
    ///
    /// # Errors
    /// Those of compiling or launching it.
    ///
    /// # Safety
    /// The arguments are of the types of the kernel's parameters, and what the kernel reads and writes by them lies
    /// in memory of this runtime that is not freed before the kernel has ended.
    unsafe fn launch(&mut self, launch: &Launch<'_>) -> Result<(), Self::Error>;

    /// Multiplies.
    ///
    /// # Errors
    /// The library's.
    ///
    /// # Safety
    /// The matrices lie in memory of this runtime that is not freed before the product is made.
    unsafe fn gemm(&mut self, gemm: &Gemm) -> Result<(), Self::Error>;

    /// Makes a graph of launches and products, without doing any of them.
    ///
    /// # Errors
    /// The runtime cannot make graphs, or not this one.
    ///
    /// # Safety
    /// The arguments are of the types of the kernels' parameters.
    unsafe fn graph(&mut self, steps: &Steps) -> Result<Self::Graph, Self::Error>;

    /// Launches and multiplies what a graph was made of.
    ///
    /// # Errors
    /// Nothing of it was done, or doing it step by step fails in the same way.
    ///
    /// # Safety
    /// The graph was made by this runtime; for each step as [`Self::launch`] and [`Self::gemm`].
    unsafe fn replay(&mut self, graph: &Self::Graph) -> Result<(), Self::Error>;

    /// Multiprocessors of the device: how many blocks run at once, at least.
    fn multiprocessors(&self) -> usize;
}
