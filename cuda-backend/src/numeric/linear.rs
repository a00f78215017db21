//! y = x Wᵀ (+ b).

use longseq_core::{
    backend::{Columns, Elements, LinearMap},
    error::{enough, same},
    numeric::{
        linear::{Linear, LinearDims},
        tensor::Dtype,
    },
};

use super::{columns, columns_mut};
use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::{LINEAR_BIAS, LINEAR_INPUT},
    launch::{Grid, i32_of, i64_of},
    runtime::{Address, Argument, Gemm, Matrix, Memory, Runtime},
    staging::Work,
    weight::{Matrices, Weight},
};

impl<R: Runtime> LinearMap for Cuda<R> {
    fn linear(
        &mut self,
        dims: &LinearDims,
        x: Columns<&Buffer<R::Memory>>,
        map: &Linear<Weight<R::Memory>>,
        out: Columns<&mut Buffer<R::Memory>>,
    ) -> Result<(), R::Error> {
        let LinearDims { rows, inputs, outputs, mut accumulate } = *dims;
        let operation = "linear";
        let weight = map.weight.matrix(operation)?;
        let bias = map.bias.as_ref().map(|bias| bias.values(operation)).transpose()?;
        enough(operation, "inputs", 1, inputs)?;
        same(operation, "inputs", weight.inputs, inputs)?;
        same(operation, "outputs", weight.outputs, outputs)?;
        bias.map_or(Ok(()), |(_, biases)| same(operation, "bias", outputs, biases))?;
        let x = Factor::new((operation, "x"), &x, (rows, inputs), weight)?;
        let (out, out_stride) =
            (columns_mut((operation, "out"), &out, (rows, outputs))?.0, out.stride);
        if let Some((bias, _)) = bias {
            // SAFETY: the bias has `outputs` elements, and so have the columns of `rows` rows of out.
            unsafe { self.bias(bias, (out, out_stride), (rows, outputs), accumulate) }?;
            accumulate = true;
        }
        // SAFETY: x and out have such columns, as checked.
        unsafe { self.product(x, weight, (out, out_stride), (rows, accumulate)) }
    }
}

/// The left side of a product: rows at a stride, in f32, or in bf16 where the weight is, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factor {
    address: Address,
    stride: usize,
    dtype: Dtype,
}

impl Factor {
    /// Columns that are checked to lie within their buffer, and to be what the weight can be multiplied by.
    pub(crate) fn new<M: Memory, E>(
        name: (&'static str, &'static str),
        of: &Columns<&Buffer<M>>,
        extents: (usize, usize),
        weight: &Matrices<M>,
    ) -> Result<Self, E> {
        let &Columns { buffer, stride, offset } = of;
        let dtype = buffer.dtype();
        if dtype != Dtype::Bf16 || weight.elements.dtype() != Dtype::Bf16 {
            return Ok(Self::f32(columns(name, of, extents)?.0, stride));
        }
        of.check(name, extents, buffer.elements())?;
        let first = (offset * dtype.bytes()) as Address;
        Ok(Self { address: buffer.address() + first, stride, dtype })
    }

    /// Rows in f32.
    pub(crate) const fn f32(address: Address, stride: usize) -> Self {
        Self { address, stride, dtype: Dtype::F32 }
    }
}

impl<R: Runtime> Cuda<R> {
    /// out = b, or out + b, in `rows` rows of `outputs`.
    ///
    /// # Safety
    /// b has so many elements, and so has every row of out; both are f32.
    pub(crate) unsafe fn bias(
        &mut self,
        bias: Address,
        (out, stride): (Address, usize),
        (rows, outputs): (usize, usize),
        accumulate: bool,
    ) -> Result<(), R::Error> {
        let arguments = [
            Argument::Address(bias),
            Argument::Address(out),
            i64_of(stride),
            i32_of(("linear", "rows"), rows)?,
            i32_of(("linear", "outputs"), outputs)?,
            Argument::I32(accumulate.into()),
        ];
        let plain = Grid::threads(rows.saturating_mul(outputs));
        // SAFETY: the caller's.
        unsafe { self.launch_version(&LINEAR_BIAS, plain, Grid::fours(rows, outputs), &arguments) }
    }

    /// out = x Wᵀ, or out + x Wᵀ, for `rows` rows at `stride`s. Each of several matrices has columns of its own, side
    /// by side.
    ///
    /// # Safety
    /// x has so many rows of the weight's inputs, out, f32, of its outputs; x is not in bf16 where the weight is not.
    pub(crate) unsafe fn product(
        &mut self,
        x: Factor,
        weight: &Matrices<R::Memory>,
        out: (Address, usize),
        (rows, accumulate): (usize, bool),
    ) -> Result<(), R::Error> {
        let inputs = weight.count * weight.inputs;
        let Factor { address, stride, dtype } = x;
        let x = if dtype == weight.elements.dtype() {
            (address, stride)
        } else {
            // SAFETY: x is as the caller says, in f32 while the weight is in bf16.
            (unsafe { self.factor((address, stride), (rows, inputs)) }?, inputs)
        };
        // SAFETY: x and out are as the caller says, or x is the factor just made.
        unsafe { self.multiply(x, weight, out, (rows, accumulate)) }
    }

    /// The same of an x in the weight's dtype.
    ///
    /// # Safety
    /// x, of the weight's dtype, has so many rows of the weight's inputs, out, f32, of its outputs.
    pub(crate) unsafe fn multiply(
        &mut self,
        (x, x_stride): (Address, usize),
        weight: &Matrices<R::Memory>,
        (out, out_stride): (Address, usize),
        (rows, accumulate): (usize, bool),
    ) -> Result<(), R::Error> {
        let &Matrices { count, outputs, inputs, ref elements } = weight;
        if rows == 0 || count == 0 || outputs == 0 {
            return Ok(());
        }
        let matrix =
            |address, row_stride, batch_stride| Matrix { address, row_stride, batch_stride };
        let gemm = Gemm {
            batch: count,
            rows,
            inputs,
            outputs,
            dtype: elements.dtype(),
            x: matrix(x, x_stride, inputs),
            weight: matrix(elements.address(), inputs, inputs * outputs),
            out: matrix(out, out_stride, outputs),
            accumulate,
        };
        // SAFETY: x and out are as the caller says; the weight has its size.
        unsafe { self.queue.gemm(&gemm) }
    }

    /// x in bf16, its rows one after the other, in working memory.
    ///
    /// # Safety
    /// x, f32, has `rows` rows of `width` elements.
    pub(crate) unsafe fn factor(
        &mut self,
        (x, stride): (Address, usize),
        (rows, width): (usize, usize),
    ) -> Result<Address, R::Error> {
        let elements = rows.saturating_mul(width);
        let factor = self.work(Work::Factor, elements, Dtype::Bf16)?;
        let arguments = [
            Argument::Address(x),
            i64_of(stride),
            Argument::Address(factor),
            i32_of(("linear", "rows"), rows)?,
            i32_of(("linear", "inputs"), width)?,
        ];
        let (plain, fast) = (Grid::threads(elements), Grid::fours(rows, width));
        // SAFETY: x is as the caller says, and the factor has room for as many elements.
        unsafe { self.launch_version(&LINEAR_INPUT, plain, fast, &arguments) }?;
        Ok(factor)
    }
}
