//! The operations of [`longseq_core::backend`] at the speed of the machine.
//!
//! The same mathematics as [`longseq_core::reference`], in f32 with weights in bf16 or f32, on the vector
//! instructions that the processor has ([`isa`]) and on rayon's threads. Files are named as in `longseq-core`:
//!
//! - [`weight`] holds a model's weights as these operations read them, packed once;
//! - [`gemm`] multiplies by them: almost all of a model's work;
//! - [`numeric`] implements the operations on every row by itself, `recurrence` those that carry a state,
//!   `attention` the one that looks back;
//! - [`memory`] foretells the room that they work in, and sets it aside.
//!
//! A token's result does not depend on the number of threads, on what else is in the batch, or on where its sequence
//! is cut into calls (at multiples of [`GRID`] tokens): every element is made by the same operations in the same order.
//! It does depend on the instruction set.

mod attention;
pub mod floats;
pub mod gemm;
pub mod isa;
mod lanes;
pub mod memory;
pub mod numeric;
mod recurrence;
mod state;
pub mod weight;

use longseq_core::{backend::Storage, error::ShapeError, state::StateError};

use self::{
    floats::Floats,
    gemm::{Lhs, NoMemory, Stored},
    isa::Isa,
    weight::Weight,
};

/// A sequence cut into calls at multiples of this many tokens gets the same bits as in one call. Cut elsewhere it is
/// rounded otherwise by a scan in chunks ([`Cpu::products_in`]), and by attention where a piece is a single token, which
/// is then taken for a step of writing.
pub const GRID: usize = recurrence::BLOCK;

/// The backend: an instruction set and working memory.
#[derive(Debug)]
pub struct Cpu {
    isa: Isa,
    /// Rows of a product's left side, as its kernel reads them.
    lhs: Lhs,
    /// Room for an operation's intermediate results; what it holds between calls does not matter.
    work: Floats,
    /// What the first of two products leaves for the second.
    between: Floats,
    /// In which precision products are made that no weight is part of.
    products_in: Stored,
    attention: attention::Scratch,
    ssd: recurrence::Chunks,
}

impl Cpu {
    /// On this instruction set. Working memory grows with the first calls and is kept.
    pub fn new(isa: Isa) -> Self {
        Self {
            isa,
            lhs: Lhs::default(),
            work: Floats::default(),
            between: Floats::default(),
            products_in: Stored::F32,
            attention: attention::Scratch::default(),
            ssd: recurrence::Chunks::default(),
        }
    }

    /// Lets operations round to bf16 what they multiply beside weights, where the instruction set multiplies pairs of
    /// them: attention its queries, keys, values and their weights, Mamba-2's scan what it makes of a whole chunk of
    /// [`GRID`] tokens. Without this they compute in f32. States and cache are in f32 either way.
    #[must_use]
    pub fn products_in(mut self, stored: Stored) -> Self {
        self.products_in = stored;
        self
    }

    /// Whether products without a weight are made of pairs of bf16.
    fn multiplies_pairs(&self) -> bool {
        self.isa.has_bf16() && self.products_in == Stored::Bf16
    }
}

/// Gives `needed` elements of a working buffer, which grows where it is shorter.
fn room<T: Clone + Default>(work: &mut Vec<T>, needed: usize) -> &mut [T] {
    if work.len() < needed {
        work.resize(needed, T::default());
    }
    &mut work[..needed]
}

/// What can go wrong in an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuError {
    /// An operand does not fit.
    Shape(ShapeError),
    /// A state does not allow it.
    State(StateError),
    /// Not enough of it.
    Memory(NoMemory),
    /// A weight was packed for another operation.
    Weight {
        /// The operation.
        operation: &'static str,
    },
}

impl From<ShapeError> for CpuError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl From<StateError> for CpuError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<NoMemory> for CpuError {
    fn from(error: NoMemory) -> Self {
        Self::Memory(error)
    }
}

impl core::fmt::Display for CpuError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Memory(error) => error.fmt(f),
            Self::Weight { operation } => {
                write!(f, "{operation}: a weight was packed for another operation")
            }
        }
    }
}

impl core::error::Error for CpuError {}

impl Storage for Cpu {
    type Buffer = [f32];
    type Weight = Weight;
    type Error = CpuError;
}

/// What the operations return.
type Result<T = (), E = CpuError> = core::result::Result<T, E>;
