//! Every operation of the core that mixes tokens or sums, on inputs drawn from a seed.
//!
//! Inputs are public, so that a test can compute the same from the equations.

mod causal_conv1d;
mod grouped_query_attention;
mod linear;
mod low_rank;
mod norm;
mod pointwise;
mod rg_lru;
mod rope;
mod softmax;
mod ssd;
mod state_space;
mod token_shift;
mod wkv6;

use core::fmt;

use heapless::Vec;
use longseq_core::batch::{Batch, BatchError, Sequences};
use longseq_core::error::ShapeError;
use longseq_core::numeric::tensor::TensorError;
use longseq_core::recurrence::state_space::BilinearError;
use longseq_core::reference::ReferenceError;
use longseq_core::state::{Region, StateMut};

use crate::draw::Draw;
use crate::hash::Hash;

pub use causal_conv1d::CausalConv1d;
pub use grouped_query_attention::{Attention, DIMS as ATTENTION, FullAttention, WindowedAttention};
pub use linear::Linear;
pub use low_rank::LowRank;
pub use norm::{
    EPSILON, GROUPS, GatedGroupNorm, GatedRmsNorm, LayerNorm, RmsNorm, RmsNormOnePlus, Rows,
};
pub use pointwise::{GatedLinearUnit, SoftCap, Softplus, SquaredRelu};
pub use rg_lru::RgLru;
pub use rope::Rope;
pub use softmax::Softmax;
pub use ssd::{DIMS as SSD, SsdChunkScan, SsdScan};
pub use state_space::StateSpace;
pub use token_shift::{DdLerp, RANK, TokenShift};
pub use wkv6::Wkv6;

/// Everything an operation writes: results, then the state it leaves.
pub type Outputs = Vec<f32, 1024>;

/// An operation of the core with its inputs.
pub trait Operation: Sized {
    /// The name in the output, that of the core's function.
    const NAME: &'static str;

    /// Inputs, in the order of the fields.
    fn draw(draw: &mut Draw) -> Self;

    /// Computes with `longseq-core`.
    ///
    /// # Errors
    /// None, unless core and this program disagree about shapes.
    fn run(&self, out: &mut Outputs) -> Result<(), OperationError>;
}

/// The hash of one operation's outputs.
///
/// # Errors
/// Those of [`Operation::run`].
// Not inlined, or the stack would have to hold the inputs of all operations at once.
#[inline(never)]
pub fn hash<O: Operation>(seed: u64) -> Result<Hash, OperationError> {
    let mut outputs = Outputs::new();
    O::draw(&mut Draw::new(seed)).run(&mut outputs)?;
    Ok(Hash::of(&outputs))
}

/// Hands `see` the name and the hash of every operation.
///
/// # Errors
/// Those of [`Operation::run`], and of `see`.
pub fn each<E: From<OperationError>>(
    seed: u64,
    see: &mut dyn FnMut(&str, Hash) -> Result<(), E>,
) -> Result<(), E> {
    macro_rules! see {
        ($($operation:ty),* $(,)?) => { $(
            see(<$operation>::NAME, hash::<$operation>(seed)?)?;
        )* };
    }
    see!(
        Linear,
        LowRank,
        RmsNorm,
        RmsNormOnePlus,
        GatedRmsNorm,
        LayerNorm,
        GatedGroupNorm,
        GatedLinearUnit,
        SquaredRelu,
        SoftCap,
        Softplus,
        Softmax,
        CausalConv1d,
        TokenShift,
        DdLerp,
        SsdScan,
        SsdChunkScan,
        RgLru,
        Wkv6,
        StateSpace,
        Rope,
        FullAttention,
        WindowedAttention,
    );
    Ok(())
}

/// Tokens of the batch.
pub const TOKENS: usize = 5;
/// Two sequences, of two tokens and of three.
pub const CU_SEQLENS: [usize; 3] = [0, 2, TOKENS];
/// Their slots.
pub const SLOTS: [usize; 2] = [1, 0];
/// Tokens that each slot holds before.
pub const POSITIONS: [usize; 2] = [3, 0];

/// The sequences of the batch.
fn sequences() -> Result<Sequences<'static>, BatchError> {
    Ok(Batch::new(&[0; TOKENS], &CU_SEQLENS, &SLOTS, &[])?.sequences(&POSITIONS))
}

/// A slab of two slots.
fn state(buffer: &mut [f32]) -> StateMut<'_, [f32]> {
    let elements = buffer.len() / 2;
    StateMut { buffer, region: Region { offset: 0, stride: elements, elements } }
}

/// Appends to the outputs.
fn give(out: &mut Outputs, numbers: &[f32]) -> Result<(), OperationError> {
    out.extend_from_slice(numbers).map_err(|_| OperationError::Outputs)
}

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OperationError {
    /// The core's.
    Reference(ReferenceError),
    /// A weight's.
    Tensor(TensorError),
    /// The batch's.
    Batch(BatchError),
    /// The discretisation's.
    Bilinear(BilinearError),
    /// More outputs than there is room for.
    Outputs,
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(error) => error.fmt(f),
            Self::Tensor(error) => error.fmt(f),
            Self::Batch(error) => error.fmt(f),
            Self::Bilinear(error) => error.fmt(f),
            Self::Outputs => f.write_str("more outputs than there is room for"),
        }
    }
}

impl core::error::Error for OperationError {}

impl From<ReferenceError> for OperationError {
    fn from(error: ReferenceError) -> Self {
        Self::Reference(error)
    }
}

impl From<ShapeError> for OperationError {
    fn from(error: ShapeError) -> Self {
        Self::Reference(error.into())
    }
}

impl From<TensorError> for OperationError {
    fn from(error: TensorError) -> Self {
        Self::Tensor(error)
    }
}

impl From<BatchError> for OperationError {
    fn from(error: BatchError) -> Self {
        Self::Batch(error)
    }
}

impl From<BilinearError> for OperationError {
    fn from(error: BilinearError) -> Self {
        Self::Bilinear(error)
    }
}
