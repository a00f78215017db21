//! What a checkpoint takes of a GPU's memory, without loading it.

use longseq_core::{
    error::ShapeError,
    hybrid::map::MapWeights,
    numeric::{
        compute::Compute,
        linear::Linear,
        tensor::{Dtype, Tensor},
    },
};

use crate::{
    checkpoint::Checkpoint,
    error::{Error, Result},
};

/// Counts the bytes of weights as [`Load`](longseq_cuda::weight::Load) holds them.
pub struct Sizes {
    compute: Compute,
    /// Of all weights.
    pub bytes: u64,
    /// Of what products are made: bf16, or f32 where any of their matrices is.
    pub factors: Dtype,
    /// Where the embedding's bytes lie, and its dtype: a head that is the embedding has its memory.
    table: Option<(*const [u8], Dtype)>,
}

impl Sizes {
    /// Of all weights on the GPU.
    ///
    /// # Errors
    /// Weights of odd shapes.
    pub fn of(checkpoint: &Checkpoint, compute: Compute) -> Result<Self> {
        let failed = |source| Error::new(format!("the weights cannot be loaded: {source}"));
        let mut sizes = Self { compute, bytes: 0, factors: Dtype::Bf16, table: None };
        checkpoint.ends(|ends| ends.map(&mut sizes).map(drop).map_err(failed))?;
        for layer in 0..checkpoint.config().layers {
            checkpoint.layer(layer, |layer| layer.map(&mut sizes).map(drop).map_err(failed))?;
        }
        Ok(sizes)
    }

    /// The dtype of matrices that rows are multiplied by.
    fn factor(&mut self, tensors: &[&Tensor<'_>]) -> std::result::Result<Dtype, ShapeError> {
        let dtype = self.compute.dtype(tensors)?;
        if dtype == Dtype::F32 {
            self.factors = dtype;
        }
        Ok(dtype)
    }

    fn add(&mut self, elements: usize, dtype: Dtype) {
        let bytes = elements.saturating_mul(dtype.bytes()) as u64;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl<'t> MapWeights<Tensor<'t>> for Sizes {
    type Weight = ();
    type Error = ShapeError;

    fn linear(&mut self, maps: &[&Linear<Tensor<'t>>]) -> Result<Linear<()>, ShapeError> {
        let tensors: Vec<_> = maps.iter().map(|map| &map.weight).collect();
        let dtype = self.factor(&tensors)?;
        let is_table = |tensor: &Tensor<'_>| {
            let here = (std::ptr::from_ref(tensor.data()), dtype);
            self.table.is_some_and(|table| std::ptr::eq(table.0, here.0) && table.1 == here.1)
        };
        if !matches!(tensors[..], [only] if is_table(only)) {
            self.add(tensors.iter().map(|tensor| tensor.elements()).sum(), dtype);
        }
        let biases = maps.iter().filter_map(|map| map.bias.as_ref());
        let biases: Vec<_> = biases.map(Tensor::elements).collect();
        self.add(biases.iter().sum(), Dtype::F32);
        Ok(Linear { weight: (), bias: (!biases.is_empty()).then_some(()) })
    }

    fn matrices(&mut self, weight: &Tensor<'t>, _: usize) -> Result<(), ShapeError> {
        let dtype = self.factor(&[weight])?;
        self.add(weight.elements(), dtype);
        Ok(())
    }

    fn table(&mut self, weight: &Tensor<'t>) -> Result<(), ShapeError> {
        let dtype = match self.compute {
            Compute::F32 => Dtype::F32,
            Compute::Exact | Compute::Bf16 => Compute::Exact.dtype(&[weight])?,
        };
        self.table = Some((std::ptr::from_ref(weight.data()), dtype));
        self.add(weight.elements(), dtype);
        Ok(())
    }

    fn taps(&mut self, weight: &Tensor<'t>) -> Result<(), ShapeError> {
        self.values(weight)
    }

    fn values(&mut self, weight: &Tensor<'t>) -> Result<(), ShapeError> {
        self.add(weight.elements(), Dtype::F32);
        Ok(())
    }
}
