//! Scalars on the device.

use core::ops::Range;
use std::sync::Arc;

use half::bf16;
use longseq_core::{
    backend::Elements,
    error::{enough, same},
    numeric::tensor::Dtype,
};

use crate::{
    Cuda, CudaError, Result,
    runtime::{Address, Argument, Memory, Runtime},
};

/// Some neighbouring scalars, f32 or bf16, in device memory that they keep alive.
#[derive(Debug)]
pub struct Buffer<M> {
    memory: Arc<M>,
    dtype: Dtype,
    elements: usize,
}

impl<M> Elements for Buffer<M> {
    fn elements(&self) -> usize {
        self.elements
    }
}

impl<M: Memory> Buffer<M> {
    /// f32 or bf16.
    pub const fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Bytes of memory.
    pub const fn bytes(&self) -> usize {
        self.elements * self.dtype.bytes()
    }

    /// Where they begin on the device.
    pub fn address(&self) -> Address {
        self.memory.address()
    }

    /// Where they begin, if they are f32; `name` says whose operand they are.
    pub(crate) fn f32<E>(&self, name: (&'static str, &'static str)) -> Result<Address, E> {
        if self.dtype == Dtype::F32 {
            Ok(self.address())
        } else {
            let ((operation, operand), found) = (name, self.dtype);
            Err(CudaError::Dtype { operation, operand, expected: Dtype::F32, found })
        }
    }

    /// An output as kernels take it, `Output` of device.cuh: where it begins, and whether it is bf16 rather than f32.
    pub(crate) fn output<E>(&self, name: (&'static str, &'static str)) -> Result<[Argument; 2], E> {
        match self.dtype {
            Dtype::Bf16 => Ok([Argument::Address(self.address()), Argument::I32(1)]),
            _ => Ok([Argument::Address(self.f32(name)?), Argument::I32(0)]),
        }
    }

    /// The same scalars once more, for reading.
    pub(crate) fn share(&self) -> Self {
        Self { memory: self.memory.clone(), dtype: self.dtype, elements: self.elements }
    }

    const fn byte_range(&self, range: &Range<usize>) -> Range<usize> {
        range.start * self.dtype.bytes()..range.end * self.dtype.bytes()
    }
}

impl<R: Runtime> Cuda<R> {
    /// A buffer; what it holds does not matter.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn buffer(&mut self, elements: usize, dtype: Dtype) -> Result<Buffer<R::Memory>, R::Error> {
        let bytes = elements.saturating_mul(dtype.bytes()).max(1);
        let memory = self.queue.now()?.allocate(bytes).map_err(CudaError::Runtime)?;
        Ok(Buffer { memory: Arc::new(memory), dtype, elements })
    }

    /// Copies values to the first elements of a buffer, rounded to nearest even where it is of bf16.
    ///
    /// # Errors
    /// More values than elements.
    pub fn upload(&mut self, values: &[f32], to: &mut Buffer<R::Memory>) -> Result<(), R::Error> {
        self.upload_from(values, to, 0)
    }

    /// The same to the elements from `first` on.
    pub(crate) fn upload_from(
        &mut self,
        values: &[f32],
        to: &mut Buffer<R::Memory>,
        first: usize,
    ) -> Result<(), R::Error> {
        enough("upload", "buffer", first.saturating_add(values.len()), to.elements)?;
        let bytes: Vec<u8> = match to.dtype {
            Dtype::Bf16 => values.iter().flat_map(|&x| bf16::from_f32(x).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        };
        let offset = first * to.dtype.bytes();
        self.queue.now()?.upload(&bytes, &to.memory, offset).map_err(CudaError::Runtime)
    }

    /// Copies the first elements of a buffer to the host.
    ///
    /// # Errors
    /// Fewer elements than that; what earlier operations failed with.
    pub fn download(
        &mut self,
        from: &Buffer<R::Memory>,
        values: &mut [f32],
    ) -> Result<(), R::Error> {
        enough("download", "buffer", values.len(), from.elements)?;
        let mut bytes = vec![0; values.len() * from.dtype.bytes()];
        self.download_bytes(from, &mut bytes)?;
        match from.dtype {
            Dtype::Bf16 => {
                for (value, &bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = bf16::from_le_bytes(bytes).to_f32();
                }
            }
            _ => {
                for (value, &bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_le_bytes(bytes);
                }
            }
        }
        Ok(())
    }

    /// Copies the first bytes of a buffer, which it has, to the host.
    pub(crate) fn download_bytes(
        &mut self,
        from: &Buffer<R::Memory>,
        bytes: &mut [u8],
    ) -> Result<(), R::Error> {
        self.queue.now()?.download(&from.memory, 0, bytes).map_err(CudaError::Runtime)
    }

    /// Sets elements, which the buffer has, to 0.
    pub(crate) fn clear_range(
        &mut self,
        buffer: &mut Buffer<R::Memory>,
        range: &Range<usize>,
    ) -> Result<(), R::Error> {
        self.queue
            .now()?
            .clear(&buffer.memory, buffer.byte_range(range))
            .map_err(CudaError::Runtime)
    }

    /// Copies elements, which the buffers have and which do not overlap, between buffers of one dtype.
    pub(crate) fn copy_range(
        &mut self,
        (from, range): (&Buffer<R::Memory>, &Range<usize>),
        (to, first): (&Buffer<R::Memory>, usize),
    ) -> Result<(), R::Error> {
        same("copy", "bytes of an element", to.dtype.bytes(), from.dtype.bytes())?;
        let from = (&*from.memory, from.byte_range(range));
        let to = (&*to.memory, first * to.dtype.bytes());
        self.queue.now()?.copy(from, to).map_err(CudaError::Runtime)
    }
}
