//! The operations of [`longseq_core::backend`] at the speed of the machine.
//!
//! The same mathematics as [`longseq_core::reference`], in f32 with weights in bf16 or f32, on the vector
//! instructions that the processor has ([`isa`]) and on rayon's threads. Files are named as in `longseq-core`:
//!
//! - [`weight`] holds a model's weights as these operations read them, packed once;
//! - [`gemm`] multiplies by them: almost all of a model's work;
//! - [`numeric`] implements the operations on every row by itself, `recurrence` those that carry a state,
//!   `attention` the one that looks back.
//!
//! A token's result does not depend on the number of threads, on what else is in the batch, or on how its
//! sequence is cut into calls: every element is made by the same operations in the same order. It does
//! depend on the instruction set.

mod attention;
pub mod gemm;
pub mod isa;
pub mod numeric;
mod recurrence;
mod state;
pub mod weight;

use core::marker::PhantomData;

use longseq_core::{backend::Storage, error::ShapeError, state::StateError};

use self::{
    gemm::{Lhs, Stored},
    isa::Isa,
    weight::Weight,
};

/// The backend: an instruction set and working memory.
#[derive(Debug)]
pub struct Cpu<'a> {
    isa: Isa,
    /// Rows of a product's left side, as its kernel reads them.
    lhs: Lhs,
    /// Room for an operation's intermediate results; what it holds between calls does not matter.
    work: Vec<f32>,
    /// What the first of two products leaves for the second.
    between: Vec<f32>,
    /// In which precision attention multiplies.
    attention_in: Stored,
    attention: attention::Scratch,
    weights: PhantomData<Weight<'a>>,
}

impl Cpu<'_> {
    /// On this instruction set. Working memory grows with the first calls and is kept.
    pub fn new(isa: Isa) -> Self {
        Self {
            isa,
            lhs: Lhs::default(),
            work: Vec::new(),
            between: Vec::new(),
            attention_in: Stored::F32,
            attention: attention::Scratch::default(),
            weights: PhantomData,
        }
    }

    /// Lets attention round queries, keys, values and their weights to bf16 where the instruction set multiplies
    /// pairs of them; without this it multiplies in f32. The cache is in f32 either way.
    #[must_use]
    pub fn attention_in(mut self, stored: Stored) -> Self {
        self.attention_in = stored;
        self
    }
}

/// Gives `needed` elements of a working buffer, which grows where it is shorter.
fn room(work: &mut Vec<f32>, needed: usize) -> &mut [f32] {
    if work.len() < needed {
        work.resize(needed, 0.0);
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

impl core::fmt::Display for CpuError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Weight { operation } => {
                write!(f, "{operation}: a weight was packed for another operation")
            }
        }
    }
}

impl core::error::Error for CpuError {}

impl<'a> Storage for Cpu<'a> {
    type Buffer = [f32];
    type Weight = Weight<'a>;
    type Error = CpuError;
}

/// What the operations return.
type Result<T = (), E = CpuError> = core::result::Result<T, E>;
