//! Operations on every row by itself.

use super::{Reference, ReferenceError};
use crate::backend::{Columns, Embedding, GatedRmsNorm, GatherRows, LinearMap, RmsNorm, SwiGlu};
use crate::error::enough;
use crate::numeric::linear::{Linear, LinearDims};
use crate::numeric::norm::{GatedNormDims, NormDims};
use crate::numeric::{Real, activation, dot::dot, norm, tensor::Tensor};

type Result<T = (), E = ReferenceError> = core::result::Result<T, E>;

impl<'a, R: Real> Embedding for Reference<'a, R> {
    fn embedding(
        &mut self,
        width: usize,
        tokens: &[u32],
        table: &Tensor<'a>,
        out: &mut [R],
    ) -> Result {
        enough("embedding", "width", 1, width)?;
        enough("embedding", "out", tokens.len().saturating_mul(width), out.len())?;
        for (out, &token) in out.chunks_exact_mut(width).zip(tokens) {
            table.decode((token as usize).saturating_mul(width), out)?;
        }
        Ok(())
    }
}

impl<R: Real> GatherRows for Reference<'_, R> {
    fn gather_rows(&mut self, width: usize, rows: &[usize], x: &[R], out: &mut [R]) -> Result {
        enough("gather_rows", "width", 1, width)?;
        enough("gather_rows", "out", rows.len().saturating_mul(width), out.len())?;
        for (out, &row) in out.chunks_exact_mut(width).zip(rows) {
            enough("gather_rows", "x", row.saturating_add(1).saturating_mul(width), x.len())?;
            out.copy_from_slice(&x[row * width..][..width]);
        }
        Ok(())
    }
}

impl<'a, R: Real> RmsNorm for Reference<'a, R> {
    fn rms_norm(&mut self, dims: &NormDims, x: &[R], weight: &Tensor<'a>, out: &mut [R]) -> Result {
        dims.check(x.len(), weight.elements(), out.len())?;
        let w = self.work(dims.width)?;
        weight.decode(0, w)?;
        let epsilon = R::from_f64(dims.epsilon);
        let rows = x.chunks_exact(dims.width).zip(out.chunks_exact_mut(dims.width));
        for (x, out) in rows.take(dims.rows) {
            norm::rms_norm(x, w, epsilon, out);
        }
        Ok(())
    }
}

impl<'a, R: Real> GatedRmsNorm for Reference<'a, R> {
    fn gated_rms_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut [R],
        z: Columns<&[R]>,
        weight: &Tensor<'a>,
    ) -> Result {
        dims.check(x.len(), weight.elements())?;
        z.check(("gated_rms_norm", "z"), (dims.rows, dims.width), z.buffer.len())?;
        let w = self.work(dims.width)?;
        weight.decode(0, w)?;
        let epsilon = R::from_f64(dims.epsilon);
        for (row, x) in x.chunks_exact_mut(dims.width).take(dims.rows).enumerate() {
            let z = &z.buffer[z.row(row, dims.width)];
            norm::gated_rms_norm(x, z, dims.groups, w, epsilon);
        }
        Ok(())
    }
}

impl<'a, R: Real> LinearMap for Reference<'a, R> {
    fn linear(
        &mut self,
        dims: &LinearDims,
        x: &[R],
        map: &Linear<Tensor<'a>>,
        out: Columns<&mut [R]>,
    ) -> Result {
        let bias = map.bias.as_ref();
        dims.check(x.len(), map.weight.elements(), bias.map(Tensor::elements))?;
        out.check(("linear", "out"), (dims.rows, dims.outputs), out.buffer.len())?;
        let w = self.work(dims.inputs)?;
        // Each row of W is decoded once for all tokens.
        for output in 0..dims.outputs {
            map.weight.decode(output * dims.inputs, w)?;
            let mut b = [R::ZERO];
            bias.map_or(Ok(()), |bias| bias.decode(output, &mut b))?;
            let column = out.offset + output;
            for (row, x) in x.chunks_exact(dims.inputs).take(dims.rows).enumerate() {
                let y = dot(x, w) + b[0];
                let slot = &mut out.buffer[row * out.stride + column];
                *slot = if dims.accumulate { *slot + y } else { y };
            }
        }
        Ok(())
    }
}

impl<R: Real> SwiGlu for Reference<'_, R> {
    fn swiglu(&mut self, rows: usize, hidden: usize, up_gate: &[R], out: &mut [R]) -> Result {
        let elements = rows.saturating_mul(hidden);
        enough("swiglu", "hidden", 1, hidden)?;
        enough("swiglu", "up_gate", elements.saturating_mul(2), up_gate.len())?;
        enough("swiglu", "out", elements, out.len())?;
        let rows = up_gate.chunks_exact(2 * hidden).zip(out.chunks_exact_mut(hidden)).take(rows);
        for (up_gate, out) in rows {
            activation::swiglu(up_gate, out);
        }
        Ok(())
    }
}
