//! y = x Wᵀ (+ b).

use longseq_core::backend::{Columns, LinearMap};
use longseq_core::error::{enough, same};
use longseq_core::numeric::linear::{Linear, LinearDims};

use crate::{
    Cpu, Result,
    gemm::{Output, product},
    weight::Weight,
};

impl LinearMap for Cpu {
    fn linear(
        &mut self,
        dims: &LinearDims,
        x: Columns<&[f32]>,
        map: &Linear<Weight>,
        out: Columns<&mut [f32]>,
    ) -> Result {
        let operation = "linear";
        let weight = map.weight.matrix(operation)?;
        enough(operation, "inputs", 1, dims.inputs)?;
        let bias = map.bias.as_ref().map(|bias| bias.values(operation)).transpose()?;
        x.check((operation, "x"), (dims.rows, dims.inputs), x.buffer.len())?;
        out.check((operation, "out"), (dims.rows, dims.outputs), out.buffer.len())?;
        same(operation, "inputs", weight.inputs(), dims.inputs)?;
        same(operation, "outputs", weight.outputs(), dims.outputs)?;
        bias.map_or(Ok(()), |bias| same(operation, "bias", dims.outputs, bias.len()))?;
        let output = Output { bias, accumulate: dims.accumulate };
        let Self { isa, lhs, work, .. } = self;
        product(*isa, dims.rows, &x, weight, output, out, (lhs, work));
        Ok(())
    }
}
