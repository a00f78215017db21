//! A bound model's weights, packed.

use std::sync::Arc;

use longseq_core::{
    error::ShapeError,
    hybrid::map::MapWeights,
    numeric::{linear::Linear, tensor::Tensor},
};

use super::{Compute, Form, Forms, Weight};
use crate::{CpuError, Result, gemm::Packed};

/// Packs the weights of a part of a model.
#[derive(Clone, Debug)]
pub struct Pack {
    forms: Forms,
    table: Option<Arc<[Packed]>>,
}

impl Pack {
    /// Has packed nothing so far.
    pub const fn new(compute: Compute) -> Self {
        Self { forms: Forms::new(compute), table: None }
    }

    /// Packs matrices of a form; `read` writes row n of one of them.
    fn packed(
        &self,
        form: Form,
        read: impl Fn(usize, usize, &mut [f32]) -> Result<(), ShapeError> + Sync,
    ) -> Result<Arc<[Packed]>> {
        match (form, &self.table) {
            (Form::Matrices { count, size, stored }, _) => {
                let read = |block, n, out: &mut [f32]| -> Result { Ok(read(block, n, out)?) };
                let matrix = |block| Packed::new(size, stored, |n, out| read(block, n, out));
                (0..count).map(matrix).collect()
            }
            (Form::Table, Some(table)) => Ok(table.clone()),
            (Form::Table | Form::Values(_), _) => Err(CpuError::Weight { operation: "pack" }),
        }
    }
}

impl<'a> MapWeights<Tensor<'a>> for Pack {
    type Weight = Weight;
    type Error = CpuError;

    fn linear(&mut self, maps: &[&Linear<Tensor<'a>>]) -> Result<Linear<Weight>> {
        let form = self.forms.linear(maps)?;
        let rows: Vec<(&Tensor<'_>, usize)> = maps
            .iter()
            .flat_map(|map| {
                let inputs = map.weight.shape().last().copied().unwrap_or(0);
                let rows = map.weight.elements().checked_div(inputs).unwrap_or(0);
                (0..rows).map(move |row| (&map.weight, row))
            })
            .collect();
        let packed = self.packed(form.weight, |_, n, out| {
            let (tensor, row) = rows[n];
            tensor.decode(row * out.len(), out)
        })?;
        Ok(Linear { weight: Weight::Matrices(packed), bias: stacked_bias(maps)? })
    }

    fn matrices(&mut self, weight: &Tensor<'a>, blocks: usize) -> Result<Weight> {
        let form = self.forms.matrices(weight, blocks)?;
        let outputs = weight.shape().last().copied().unwrap_or(0);
        let packed = self.packed(form, |block, n, out| {
            let inputs = out.len();
            out.iter_mut().enumerate().try_for_each(|(k, out)| {
                let first = (block * inputs + k) * outputs + n;
                weight.decode(first, core::slice::from_mut(out))
            })
        })?;
        Ok(Weight::Matrices(packed))
    }

    fn table(&mut self, weight: &Tensor<'a>) -> Result<Weight> {
        let form = self.forms.table(weight)?;
        let packed = self.packed(form, |_, n, out| weight.decode(n * out.len(), out))?;
        self.table = Some(packed.clone());
        Ok(Weight::Matrices(packed))
    }

    fn taps(&mut self, weight: &Tensor<'a>) -> Result<Weight> {
        self.forms.taps(weight)?;
        let width = weight.shape().last().copied().unwrap_or(0);
        Ok(Weight::Values(taps(&values(weight)?, width)))
    }

    fn values(&mut self, weight: &Tensor<'a>) -> Result<Weight> {
        self.forms.values(weight)?;
        values(weight).map(Weight::Values)
    }
}

fn values(weight: &Tensor<'_>) -> Result<Vec<f32>> {
    let mut values = vec![0.0; weight.elements()];
    weight.decode(0, &mut values)?;
    Ok(values)
}

/// \[C, `width`\] made \[`width`, C\]: that is how a convolution reads its taps.
pub fn taps(weight: &[f32], width: usize) -> Vec<f32> {
    let channels = weight.len() / width.max(1);
    let tap = |tap: usize| (0..channels).map(move |channel| weight[channel * width + tap]);
    (0..width).flat_map(tap).collect()
}

/// The biases one after the other; zeros for a map without, if another has one.
fn stacked_bias(maps: &[&Linear<Tensor<'_>>]) -> Result<Option<Weight>> {
    if maps.iter().all(|map| map.bias.is_none()) {
        return Ok(None);
    }
    let mut stacked = Vec::new();
    for map in maps {
        match &map.bias {
            Some(bias) => stacked.extend(values(bias)?),
            None => {
                let rows = map.weight.shape().first().copied().unwrap_or(0);
                stacked.resize(stacked.len() + rows, 0.0);
            }
        }
    }
    Ok(Some(Weight::Values(stacked)))
}

impl AsRef<Forms> for Pack {
    fn as_ref(&self) -> &Forms {
        &self.forms
    }
}
