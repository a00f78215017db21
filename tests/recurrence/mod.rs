//! The operations that carry state, as every backend's tests run them: against the reference and against themselves, in
//! other batches and other splits.

pub mod causal_conv1d;
pub mod rg_lru;
pub mod ssd;
pub mod token_shift;
pub mod wkv6;

mod inputs;
mod laws;

pub use inputs::{Inputs, Outputs, lengths, noise};
pub use laws::{
    forks_go_on_alike, is_near, is_near_anyhow, is_near_in, is_the_same_anyhow, refuses,
};

use std::borrow::BorrowMut;

use longseq_core::backend::{CausalConv1d, RgLru, SsdScan, StateMemory, TokenShift, Wkv6Scan};
use longseq_core::batch::Sequences;
use longseq_core::numeric::Real;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;
use longseq_core::state::StateMut;
use longseq_cpu::Cpu;
use longseq_cuda::{Cuda, runtime::Runtime};
use proptest::prelude::*;

use crate::transfer::{Put, Take, Transfer};

/// A backend with these operations, and how it holds its states: as the reference does, or matrices of them transposed.
pub trait Recurrent:
    Transfer + CausalConv1d + SsdScan + RgLru + TokenShift + Wkv6Scan + StateMemory
{
    /// \[K−1, C\] for \[C, K−1\].
    const CONVOLUTION_TURNED: bool;
    /// \[H, N, P\] for \[H, P, N\].
    const SSD_TURNED: bool;
}

impl<R: Real> Recurrent for Reference<'_, R> {
    const CONVOLUTION_TURNED: bool = false;
    const SSD_TURNED: bool = false;
}

impl Recurrent for Cpu {
    const CONVOLUTION_TURNED: bool = true;
    const SSD_TURNED: bool = true;
}

impl<R: Runtime> Recurrent for Cuda<R> {
    const CONVOLUTION_TURNED: bool = true;
    const SSD_TURNED: bool = false;
}

/// An operation with its weights.
pub trait Operation: Sized {
    /// The weights, as a backend holds them.
    type Weights<W>;

    /// Columns of the rows that it reads.
    fn inputs(&self) -> usize;

    /// Columns of the rows that it writes.
    fn outputs(&self) -> usize;

    /// Elements of a sequence's state.
    fn state(&self) -> usize;

    /// Elements of work space of the reference.
    fn work(&self) -> usize;

    /// Rows and columns of the matrices in the reference's state that `B` holds transposed.
    fn turned<B: Recurrent>(&self) -> Option<(usize, usize)> {
        None
    }

    /// The weights as they are stored.
    fn tensors(&self) -> Self::Weights<Tensor<'_>>;

    /// The weights as a backend takes them over.
    fn taken<B: Take>(&self, backend: &mut B, compute: Compute) -> Self::Weights<B::Weight>;

    /// What a backend makes of the rows; where it does not work in place, in an output that `Put` makes.
    ///
    /// # Errors
    /// The backend's.
    fn call<B: Recurrent>(
        &self,
        backend: (&mut B, Put<B>),
        weights: &Self::Weights<B::Weight>,
        sequences: &Sequences<'_>,
        rows: &[B::Scalar],
        state: StateMut<'_, B::Buffer>,
    ) -> Result<Vec<B::Scalar>, B::Error>;

    /// The same without signs, of which the results say how much was summed: cancellation is no fault of a method.
    #[must_use]
    fn unsigned(&self, rows: &[f32]) -> (Self, Vec<f32>);
}

/// Elements behind an output that are not the operation's.
const BEHIND: usize = 3;

/// What `run` leaves in an output that holds NaN before, and that is longer than needed.
fn output<B: Transfer>(
    (backend, put): (&mut B, Put<B>),
    elements: usize,
    run: impl FnOnce(&mut B, &mut B::Buffer) -> Result<(), B::Error>,
) -> Result<Vec<B::Scalar>, B::Error> {
    let nan = B::Scalar::from_f64(f64::NAN);
    let mut held = put(backend, &vec![nan; elements + BEHIND]);
    run(backend, held.borrow_mut())?;
    let mut out = backend.get(&held);
    let behind = out.split_off(elements);
    assert!(behind.iter().all(|&x| x.to_f64().is_nan()), "wrote behind the output");
    Ok(out)
}

/// A weight: its bytes, f32, and its shape.
#[derive(Clone, Debug)]
pub struct Stored {
    bytes: Vec<u8>,
    shape: Vec<usize>,
}

impl Stored {
    /// These values.
    pub fn new(values: &[f32], shape: &[usize]) -> Self {
        assert_eq!(values.len(), shape.iter().product::<usize>());
        Self { bytes: values.iter().flat_map(|x| x.to_le_bytes()).collect(), shape: shape.to_vec() }
    }

    /// As a model has it.
    pub fn tensor(&self) -> Tensor<'_> {
        Tensor::new(Dtype::F32, &self.shape, &self.bytes).expect("a tensor")
    }

    /// The magnitudes of its values.
    #[must_use]
    pub fn unsigned(&self) -> Self {
        let values = self.bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b).abs());
        Self::new(&values.collect::<Vec<_>>(), &self.shape)
    }
}

/// In which precision matrices are taken over.
pub fn compute() -> impl Strategy<Value = Compute> {
    prop_oneof![Just(Compute::F32), Just(Compute::Bf16)]
}

/// How near matrices of that precision come to the reference.
pub const fn bound(compute: Compute) -> f64 {
    match compute {
        Compute::Bf16 => 1e-2,
        Compute::Exact | Compute::F32 => 1e-5,
    }
}
