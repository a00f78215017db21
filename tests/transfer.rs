//! Backends whose buffers tests fill and read, wherever those lie.

use std::borrow::BorrowMut;

use half::bf16;
use longseq_core::backend::Storage;
use longseq_core::hybrid::map::MapWeights;
use longseq_core::numeric::Real;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;
use longseq_cpu::{Cpu, weight::Pack};
use longseq_cuda::{Cuda, buffer::Buffer, runtime::Runtime, weight::Load};

/// Scalars of the host to a backend's buffers and back.
pub trait Transfer: Storage<Error: std::fmt::Debug> {
    /// What the host computes with.
    type Scalar: Real;
    /// A buffer that owns its memory.
    type Owned: BorrowMut<Self::Buffer>;

    /// A buffer of these values.
    fn put(&mut self, values: &[Self::Scalar]) -> Self::Owned;

    /// The values of a buffer.
    fn get(&mut self, buffer: &Self::Owned) -> Vec<Self::Scalar>;
}

/// How a buffer of some values is made.
pub type Put<B> = fn(&mut B, &[<B as Transfer>::Scalar]) -> <B as Transfer>::Owned;

/// A buffer of these values, rounded to bf16: what CUDA's operations before products write.
pub fn put_bf16<R: Runtime>(cuda: &mut Cuda<R>, values: &[f32]) -> Buffer<R::Memory> {
    let mut buffer = cuda.buffer(values.len(), Dtype::Bf16).expect("memory");
    cuda.upload(values, &mut buffer).expect("an upload");
    buffer
}

/// Values rounded to bf16.
pub fn rounded(values: &[f32]) -> Vec<f32> {
    values.iter().map(|&x| bf16::from_f32(x).to_f32()).collect()
}

impl<R: Real> Transfer for Reference<'_, R> {
    type Scalar = R;
    type Owned = Vec<R>;

    fn put(&mut self, values: &[R]) -> Vec<R> {
        values.to_vec()
    }

    fn get(&mut self, buffer: &Vec<R>) -> Vec<R> {
        buffer.clone()
    }
}

impl Transfer for Cpu {
    type Scalar = f32;
    type Owned = Vec<f32>;

    fn put(&mut self, values: &[f32]) -> Vec<f32> {
        values.to_vec()
    }

    fn get(&mut self, buffer: &Vec<f32>) -> Vec<f32> {
        buffer.clone()
    }
}

impl<R: Runtime> Transfer for Cuda<R> {
    type Scalar = f32;
    type Owned = Buffer<R::Memory>;

    fn put(&mut self, values: &[f32]) -> Buffer<R::Memory> {
        let mut buffer = self.buffer(values.len(), Dtype::F32).expect("memory");
        self.upload(values, &mut buffer).expect("an upload");
        buffer
    }

    fn get(&mut self, buffer: &Buffer<R::Memory>) -> Vec<f32> {
        use longseq_core::backend::Elements;
        let mut values = vec![f32::NAN; buffer.elements()];
        self.download(buffer, &mut values).expect("a download");
        values
    }
}

/// A backend that takes over stored weights.
pub trait Take: Storage {
    /// How it takes them over, with matrices in this precision.
    fn take<'a>(
        &mut self,
        compute: Compute,
    ) -> impl MapWeights<Tensor<'a>, Weight = Self::Weight, Error: std::fmt::Debug>;
}

impl Take for Cpu {
    fn take<'a>(
        &mut self,
        compute: Compute,
    ) -> impl MapWeights<Tensor<'a>, Weight = Self::Weight, Error: std::fmt::Debug> {
        Pack::new(compute)
    }
}

impl<R: Runtime> Take for Cuda<R> {
    fn take<'a>(
        &mut self,
        compute: Compute,
    ) -> impl MapWeights<Tensor<'a>, Weight = Self::Weight, Error: std::fmt::Debug> {
        Load::new(self, compute)
    }
}
