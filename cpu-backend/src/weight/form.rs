//! What a model's weights will be packed to, found without packing any.

use longseq_core::{
    error::ShapeError,
    hybrid::map::MapWeights,
    numeric::{linear::Linear, tensor::Tensor},
};

use super::{Compute, stored};
use crate::{
    CpuError, Result,
    gemm::{Packed, Stored},
    memory::Kinds,
};

/// What a weight will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// So many values.
    Values(usize),
    /// Matrices of one size.
    Matrices {
        /// How many.
        count: usize,
        /// N and K of each.
        size: (usize, usize),
        /// Their elements.
        stored: Stored,
    },
    /// The matrix of the table, once more.
    Table,
}

impl Form {
    /// Bytes of memory.
    pub const fn bytes(&self) -> usize {
        match *self {
            Self::Values(values) => values.saturating_mul(size_of::<f32>()),
            Self::Matrices { count, size, stored } => {
                count.saturating_mul(Packed::bytes_of(size, stored))
            }
            Self::Table => 0,
        }
    }
}

/// Finds the form of every weight of a part of a model, which stays where it is meanwhile. Of elements only those are
/// read that say whether bf16 is exact.
#[derive(Clone, Copy, Debug)]
pub struct Forms {
    compute: Compute,
    /// The table, known by where its bytes lie.
    table: Option<(*const [u8], Stored)>,
    /// Bytes of all weights so far.
    pub bytes: usize,
    /// Bytes of the tensors that they are made of.
    pub read: usize,
    /// Bytes of a table that is nothing else: of which a token reads no more than a row.
    pub rows: usize,
    /// Of what the matrices are made that rows are multiplied by.
    pub kinds: Kinds,
}

impl Forms {
    /// Of no weight so far.
    pub const fn new(compute: Compute) -> Self {
        Self {
            compute,
            table: None,
            bytes: 0,
            read: 0,
            rows: 0,
            kinds: Kinds { bf16: false, f32: false },
        }
    }

    fn note(&mut self, tensors: &[&Tensor<'_>], form: Form) -> Form {
        self.bytes = self.bytes.saturating_add(form.bytes());
        if form != Form::Table {
            self.read =
                tensors.iter().fold(self.read, |sum, of| sum.saturating_add(of.data().len()));
        }
        form
    }

    fn multiply(&mut self, stored: Stored) {
        self.kinds.bf16 |= stored == Stored::Bf16;
        self.kinds.f32 |= stored == Stored::F32;
    }
}

impl<'a> MapWeights<Tensor<'a>> for Forms {
    type Weight = Form;
    type Error = CpuError;

    fn linear(&mut self, maps: &[&Linear<Tensor<'a>>]) -> Result<Linear<Form>> {
        let weights: Vec<&Tensor<'_>> = maps.iter().map(|map| &map.weight).collect();
        let columns = |tensor: &Tensor<'_>| tensor.shape().last().copied().unwrap_or(0);
        let inputs = weights.first().map_or(0, |first| columns(first));
        if let Some(other) = weights.iter().map(|of| columns(of)).find(|other| *other != inputs) {
            let (operation, operand) = ("linear", "inputs");
            return Err(ShapeError { operation, operand, expected: inputs, found: other }.into());
        }
        let rows = |of: &&Tensor<'_>| of.elements().checked_div(inputs).unwrap_or(0);
        let outputs = weights.iter().map(rows).sum();
        let stored = stored(self.compute, &weights)?;
        let form = match weights[..] {
            [only] if self.table == Some((only.data(), stored)) => {
                self.rows = 0;
                Form::Table
            }
            _ => Form::Matrices { count: 1, size: (outputs, inputs), stored },
        };
        self.multiply(stored);
        let weight = self.note(&weights, form);
        let biases: Vec<&Tensor<'_>> = maps.iter().filter_map(|map| map.bias.as_ref()).collect();
        // Zeros for a map without, if another has one.
        let bias = (!biases.is_empty()).then(|| self.note(&biases, Form::Values(outputs)));
        Ok(Linear { weight, bias })
    }

    fn matrices(&mut self, weight: &Tensor<'a>, blocks: usize) -> Result<Form> {
        let [.., inputs, outputs] = *weight.shape() else {
            let (operation, operand) = ("matrices", "axes");
            let found = weight.shape().len();
            return Err(ShapeError { operation, operand, expected: 2, found }.into());
        };
        let stored = stored(self.compute, &[weight])?;
        self.multiply(stored);
        Ok(self.note(&[weight], Form::Matrices { count: blocks, size: (outputs, inputs), stored }))
    }

    fn table(&mut self, weight: &Tensor<'a>) -> Result<Form> {
        let [outputs, inputs] = *weight.shape() else {
            let (operation, operand) = ("table", "axes");
            let found = weight.shape().len();
            return Err(ShapeError { operation, operand, expected: 2, found }.into());
        };
        // Rows are read as they are: where bf16 would round them, in f32.
        let stored = match self.compute {
            Compute::F32 => Stored::F32,
            Compute::Exact | Compute::Bf16 => stored(Compute::Exact, &[weight])?,
        };
        self.table = Some((weight.data(), stored));
        let form = Form::Matrices { count: 1, size: (outputs, inputs), stored };
        self.rows = form.bytes();
        Ok(self.note(&[weight], form))
    }

    fn taps(&mut self, weight: &Tensor<'a>) -> Result<Form> {
        self.values(weight)
    }

    fn values(&mut self, weight: &Tensor<'a>) -> Result<Form> {
        Ok(self.note(&[weight], Form::Values(weight.elements())))
    }
}

impl AsRef<Self> for Forms {
    fn as_ref(&self) -> &Self {
        self
    }
}
