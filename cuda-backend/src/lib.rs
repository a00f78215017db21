//! The operations of [`longseq_core::backend`] as CUDA kernels.
//!
//! Builds without CUDA and starts without a driver: libraries are looked for when a device is asked for. Files are
//! named as in `longseq-core`; the kernels lie in `kernels/` under the same names.
//!
//! - [`runtime`] is all that is asked of a device: memory, launches, products; a driver implements it, and in tests an
//!   emulator that runs the same kernels on the CPU;
//! - [`driver`] is that of a real GPU: it finds CUDA's libraries, compiles the kernels, and says what is missing;
//! - [`kernels`] lists the kernels with their budgets;
//! - [`buffer`] holds activations, state and cache, [`weight`] a model's weights;
//! - `numeric`, `recurrence` and `attention` check operands and launch;
//! - `queue` passes launches on to the runtime, or a recorded pass of them as one graph ([`steps`]).
//!
//! Activations and recurrent state are f32, a key-value cache may be bf16, and so may what only products read: norms,
//! gated linear units, attention and scans write f32 or bf16 as their output's [`Buffer`] is. Products with weights are
//! made of bf16 or f32 factors and summed in f32.

mod attention;
pub mod buffer;
pub mod driver;
pub mod error;
mod forward;
pub mod kernels;
mod launch;
mod numeric;
mod queue;
mod recurrence;
pub mod runtime;
mod staging;
mod state;
pub mod steps;
pub mod weight;

use longseq_core::{
    backend::Storage, error::ShapeError, numeric::tensor::Dtype, state::StateError,
};

use self::{buffer::Buffer, queue::Queue, runtime::Runtime, staging::Staging, weight::Weight};

pub use launch::Version;
pub use queue::Graphs;

/// The backend: a runtime and working memory.
#[derive(Debug)]
pub struct Cuda<R: Runtime> {
    queue: Queue<R>,
    version: Version,
    products_in: Dtype,
    staging: Staging<R::Memory>,
}

impl<R: Runtime> Cuda<R> {
    /// On this runtime. Working memory grows with the first calls and is kept.
    pub fn new(runtime: R) -> Self {
        let (version, products_in) = (Version::Fast, Dtype::Bf16);
        Self { queue: Queue::new(runtime), version, products_in, staging: Staging::default() }
    }

    /// Runs this version of every kernel that has two.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// With anything but bf16, which is what it begins with, the scans of Mamba-2 and RWKV-6 multiply in f32, token by
    /// token, instead of rounding what they read, the state as a factor and decays to bf16 for the tensor cores. The state
    /// is f32 either way.
    #[must_use]
    pub fn products_in(mut self, dtype: Dtype) -> Self {
        self.products_in = dtype;
        self
    }

    /// What it runs on.
    pub const fn runtime(&self) -> &R {
        self.queue.runtime()
    }
}

/// What can go wrong in an operation; `E` is the runtime's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CudaError<E> {
    /// An operand does not fit.
    Shape(ShapeError),
    /// A state does not allow it.
    State(StateError),
    /// A weight was loaded for another operation.
    Weight {
        /// The operation.
        operation: &'static str,
    },
    /// An operand is of another scalar type.
    Dtype {
        /// The operation.
        operation: &'static str,
        /// The operand.
        operand: &'static str,
        /// What the operation takes.
        expected: Dtype,
        /// What it was given.
        found: Dtype,
    },
    /// The device does not do it.
    Runtime(E),
}

impl<E> From<ShapeError> for CudaError<E> {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl<E> From<StateError> for CudaError<E> {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl<E: core::fmt::Display> core::fmt::Display for CudaError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Weight { operation } => {
                write!(f, "{operation}: a weight was loaded for another operation")
            }
            Self::Dtype { operation, operand, expected, found } => {
                write!(f, "{operation}: {operand} is {found}, expected {expected}")
            }
            Self::Runtime(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for CudaError<E> {}

impl<R: Runtime> Storage for Cuda<R> {
    type Buffer = Buffer<R::Memory>;
    type Weight = Weight<R::Memory>;
    type Error = CudaError<R::Error>;
}

/// What the operations return.
type Result<T, E> = core::result::Result<T, CudaError<E>>;
