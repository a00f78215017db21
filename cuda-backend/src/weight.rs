//! A model's weights on the device.

use longseq_core::{
    backend::Elements,
    error::{ShapeError, same},
    hybrid::map::MapWeights,
    numeric::{
        compute::Compute,
        linear::Linear,
        tensor::{Dtype, Tensor},
    },
};

use crate::{
    Cuda, CudaError, Result,
    buffer::Buffer,
    runtime::{Address, Memory, Runtime},
};

/// A weight.
#[derive(Debug)]
pub enum Weight<M> {
    /// Read as a whole, in f32.
    Values(Buffer<M>),
    /// Matrices of one size, \[outputs, inputs\] each, one after the other: multiplied by, or read by rows.
    Matrices(Matrices<M>),
}

/// Matrices of one size.
#[derive(Debug)]
pub struct Matrices<M> {
    /// How many.
    pub count: usize,
    /// Rows of each.
    pub outputs: usize,
    /// Columns of each.
    pub inputs: usize,
    /// Their elements, bf16 or f32.
    pub elements: Buffer<M>,
}

impl<M: Memory> Weight<M> {
    /// Where its values are, and how many.
    pub(crate) fn values<E>(&self, operation: &'static str) -> Result<(Address, usize), E> {
        match self {
            Self::Values(values) => Ok((values.f32((operation, "weight"))?, values.elements())),
            Self::Matrices(_) => Err(CudaError::Weight { operation }),
        }
    }

    /// Its matrices.
    pub(crate) const fn matrices<E>(&self, operation: &'static str) -> Result<&Matrices<M>, E> {
        match self {
            Self::Matrices(matrices) => Ok(matrices),
            Self::Values(_) => Err(CudaError::Weight { operation }),
        }
    }

    /// Its one matrix.
    pub(crate) const fn matrix<E>(&self, operation: &'static str) -> Result<&Matrices<M>, E> {
        match self {
            Self::Matrices(matrices) if matrices.count == 1 => Ok(matrices),
            _ => Err(CudaError::Weight { operation }),
        }
    }

    /// Bytes of memory.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::Values(values) => values.bytes(),
            Self::Matrices(matrices) => matrices.elements.bytes(),
        }
    }
}

/// Loads the weights of a part of a model: matrices in bf16 or f32 as [`Compute`] says, vectors in f32.
#[derive(Debug)]
pub struct Load<'c, 'a, R: Runtime> {
    cuda: &'c mut Cuda<R>,
    compute: Compute,
    /// The table, known by where its bytes lie: a head that is the embedding has its memory.
    table: Option<(&'a [u8], Buffer<R::Memory>)>,
    factors: Dtype,
}

/// Elements that are decoded at a time.
const PIECE: usize = 1 << 16;

impl<'c, 'a, R: Runtime> Load<'c, 'a, R> {
    /// Has loaded nothing so far.
    pub const fn new(cuda: &'c mut Cuda<R>, compute: Compute) -> Self {
        Self { cuda, compute, table: None, factors: Dtype::Bf16 }
    }

    /// Of what products with the matrices loaded so far are made: bf16, or f32 where any of them is.
    pub const fn factors(&self) -> Dtype {
        self.factors
    }

    /// The dtype of matrices that rows are multiplied by.
    fn factor(&mut self, tensors: &[&Tensor<'a>]) -> Result<Dtype, R::Error> {
        let dtype = self.compute.dtype(tensors)?;
        if dtype == Dtype::F32 {
            self.factors = dtype;
        }
        Ok(dtype)
    }

    /// All of these tensors' elements, one after the other.
    fn stacked(
        &mut self,
        tensors: &[&Tensor<'a>],
        dtype: Dtype,
    ) -> Result<Buffer<R::Memory>, R::Error> {
        let elements = tensors.iter().map(|tensor| tensor.elements()).sum();
        let mut buffer = self.cuda.buffer(elements, dtype)?;
        let mut piece = vec![0.0; PIECE.min(elements)];
        let mut to = 0;
        for tensor in tensors {
            for first in (0..tensor.elements()).step_by(PIECE) {
                let piece = &mut piece[..PIECE.min(tensor.elements() - first)];
                tensor.decode(first, piece)?;
                self.cuda.upload_from(piece, &mut buffer, to)?;
                to += piece.len();
            }
        }
        Ok(buffer)
    }

    /// The biases one after the other; zeros for a map without, if another has one.
    fn biases(
        &mut self,
        maps: &[&Linear<Tensor<'a>>],
    ) -> Result<Option<Weight<R::Memory>>, R::Error> {
        if maps.iter().all(|map| map.bias.is_none()) {
            return Ok(None);
        }
        let mut stacked = Vec::new();
        for map in maps {
            let first = stacked.len();
            let rows = map.weight.shape().first().copied().unwrap_or(0);
            stacked.resize(first + map.bias.as_ref().map_or(rows, Tensor::elements), 0.0);
            if let Some(bias) = &map.bias {
                bias.decode(0, &mut stacked[first..])?;
            }
        }
        let mut buffer = self.cuda.buffer(stacked.len(), Dtype::F32)?;
        self.cuda.upload(&stacked, &mut buffer)?;
        Ok(Some(Weight::Values(buffer)))
    }
}

/// Rows and columns of a matrix, the last two axes of a tensor.
fn extents<E>(operation: &'static str, tensor: &Tensor<'_>) -> Result<(usize, usize), E> {
    match *tensor.shape() {
        [.., rows, columns] => Ok((rows, columns)),
        _ => {
            let (operand, found) = ("axes", tensor.shape().len());
            Err(ShapeError { operation, operand, expected: 2, found }.into())
        }
    }
}

impl<'a, R: Runtime> MapWeights<Tensor<'a>> for Load<'_, 'a, R> {
    type Weight = Weight<R::Memory>;
    type Error = CudaError<R::Error>;

    fn linear(
        &mut self,
        maps: &[&Linear<Tensor<'a>>],
    ) -> Result<Linear<Weight<R::Memory>>, R::Error> {
        let tensors: Vec<&Tensor<'a>> = maps.iter().map(|map| &map.weight).collect();
        let columns = |tensor: &Tensor<'_>| tensor.shape().last().copied().unwrap_or(0);
        let inputs = tensors.first().map_or(0, |first| columns(first));
        for tensor in &tensors {
            same("linear", "inputs", inputs, columns(tensor))?;
        }
        let all: usize = tensors.iter().map(|tensor| tensor.elements()).sum();
        let outputs = all.checked_div(inputs).unwrap_or(0);
        let dtype = self.factor(&tensors)?;
        let elements = match (&tensors[..], &self.table) {
            ([only], Some((data, table)))
                if core::ptr::eq(*data, only.data()) && table.dtype() == dtype =>
            {
                table.share()
            }
            _ => self.stacked(&tensors, dtype)?,
        };
        let weight = Weight::Matrices(Matrices { count: 1, outputs, inputs, elements });
        Ok(Linear { weight, bias: self.biases(maps)? })
    }

    fn matrices(
        &mut self,
        weight: &Tensor<'a>,
        blocks: usize,
    ) -> Result<Weight<R::Memory>, R::Error> {
        let (inputs, outputs) = extents("matrices", weight)?;
        let size = inputs.saturating_mul(outputs);
        same("matrices", "elements", blocks.saturating_mul(size), weight.elements())?;
        // [in, out] as stored, [out, in] as multiplied by.
        let mut stored = vec![0.0; size];
        let mut turned = vec![0.0; size];
        let dtype = self.factor(&[weight])?;
        let mut elements = self.cuda.buffer(weight.elements(), dtype)?;
        for block in 0..blocks {
            weight.decode(block * size, &mut stored)?;
            for (at, turned) in turned.iter_mut().enumerate() {
                *turned = stored[at % inputs * outputs + at / inputs];
            }
            self.cuda.upload_from(&turned, &mut elements, block * size)?;
        }
        Ok(Weight::Matrices(Matrices { count: blocks, outputs, inputs, elements }))
    }

    fn table(&mut self, weight: &Tensor<'a>) -> Result<Weight<R::Memory>, R::Error> {
        let (outputs, inputs) = extents("table", weight)?;
        // Rows are read as they are: where bf16 would round them, in f32.
        let dtype = match self.compute {
            Compute::F32 => Dtype::F32,
            Compute::Exact | Compute::Bf16 => Compute::Exact.dtype(&[weight])?,
        };
        let elements = self.stacked(&[weight], dtype)?;
        self.table = Some((weight.data(), elements.share()));
        Ok(Weight::Matrices(Matrices { count: 1, outputs, inputs, elements }))
    }

    fn taps(&mut self, weight: &Tensor<'a>) -> Result<Weight<R::Memory>, R::Error> {
        // [C, 1, K] as stored, [K, C] as read: channels side by side.
        let width = weight.shape().last().copied().unwrap_or(0).max(1);
        let channels = weight.elements() / width;
        let mut stored = vec![0.0; channels * width];
        weight.decode(0, &mut stored)?;
        let turned: Vec<f32> =
            (0..stored.len()).map(|at| stored[at % channels * width + at / channels]).collect();
        let mut buffer = self.cuda.buffer(turned.len(), Dtype::F32)?;
        self.cuda.upload(&turned, &mut buffer)?;
        Ok(Weight::Values(buffer))
    }

    fn values(&mut self, weight: &Tensor<'a>) -> Result<Weight<R::Memory>, R::Error> {
        Ok(Weight::Values(self.stacked(&[weight], Dtype::F32)?))
    }
}
