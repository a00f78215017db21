//! Operations on every row by itself.

use super::{Reference, Result};
use crate::backend::{
    Columns, Embedding, EmbeddingDims, GatedGroupNorm, GatedLinearUnit, GatedRmsNorm, GatherRows,
    LayerNorm, LinearMap, LowRankMap, RmsNorm, SoftCap, SquaredRelu,
};
use crate::error::{enough, same};
use crate::numeric::activation::{self, GluDims};
use crate::numeric::linear::{Linear, LinearDims};
use crate::numeric::low_rank::{LowRank, LowRankDims, add_vector_matrix};
use crate::numeric::norm::{GatedNormDims, NormDims};
use crate::numeric::{Real, dot::dot, norm, tensor::Tensor};

impl<'a, R: Real> Embedding for Reference<'a, R> {
    fn embedding(
        &mut self,
        dims: &EmbeddingDims,
        tokens: &[u32],
        table: &Tensor<'a>,
        out: &mut [R],
    ) -> Result {
        let EmbeddingDims { width, scale } = *dims;
        enough("embedding", "width", 1, width)?;
        enough("embedding", "out", tokens.len().saturating_mul(width), out.len())?;
        for (out, &token) in out.chunks_exact_mut(width).zip(tokens) {
            table.decode((token as usize).saturating_mul(width), out)?;
            for out in out {
                *out = R::from_f64(scale) * *out;
            }
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
    fn rms_norm(
        &mut self,
        dims: &NormDims,
        x: &[R],
        weight: &Tensor<'a>,
        one_plus: bool,
        out: &mut [R],
    ) -> Result {
        dims.check("rms_norm", x.len(), weight.elements(), out.len())?;
        let w = self.work(dims.width)?;
        weight.decode(0, w)?;
        if one_plus {
            w.iter_mut().for_each(|w| *w += R::ONE);
        }
        let epsilon = R::from_f64(dims.epsilon);
        let rows = x.chunks_exact(dims.width).zip(out.chunks_exact_mut(dims.width));
        for (x, out) in rows.take(dims.rows) {
            norm::rms_norm(x, w, epsilon, out);
        }
        Ok(())
    }
}

impl<'a, R: Real> LayerNorm for Reference<'a, R> {
    fn layer_norm(
        &mut self,
        dims: &NormDims,
        x: &[R],
        weight: &Tensor<'a>,
        bias: &Tensor<'a>,
        out: &mut [R],
    ) -> Result {
        dims.check("layer_norm", x.len(), weight.elements(), out.len())?;
        same("layer_norm", "bias", dims.width, bias.elements())?;
        let (w, b) = self.work(dims.width.saturating_mul(2))?.split_at_mut(dims.width);
        weight.decode(0, w)?;
        bias.decode(0, b)?;
        let epsilon = R::from_f64(dims.epsilon);
        let rows = x.chunks_exact(dims.width).zip(out.chunks_exact_mut(dims.width));
        for (x, out) in rows.take(dims.rows) {
            out.copy_from_slice(x);
            norm::layer_norm(out, w, b, epsilon);
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
        dims.check("gated_rms_norm", x.len(), weight.elements())?;
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

impl<'a, R: Real> GatedGroupNorm for Reference<'a, R> {
    fn gated_group_norm(
        &mut self,
        dims: &GatedNormDims,
        x: &mut [R],
        gate: Columns<&[R]>,
        weight: &Tensor<'a>,
        bias: &Tensor<'a>,
    ) -> Result {
        dims.check("gated_group_norm", x.len(), weight.elements())?;
        same("gated_group_norm", "bias", dims.width, bias.elements())?;
        gate.check(("gated_group_norm", "gate"), (dims.rows, dims.width), gate.buffer.len())?;
        let (w, b) = self.work(dims.width.saturating_mul(2))?.split_at_mut(dims.width);
        weight.decode(0, w)?;
        bias.decode(0, b)?;
        let epsilon = R::from_f64(dims.epsilon);
        for (row, x) in x.chunks_exact_mut(dims.width).take(dims.rows).enumerate() {
            let gate = &gate.buffer[gate.row(row, dims.width)];
            norm::gated_group_norm(x, gate, dims.groups, (w, b), epsilon);
        }
        Ok(())
    }
}

impl<'a, R: Real> LinearMap for Reference<'a, R> {
    fn linear(
        &mut self,
        dims: &LinearDims,
        x: Columns<&[R]>,
        map: &Linear<Tensor<'a>>,
        out: Columns<&mut [R]>,
    ) -> Result {
        let bias = map.bias.as_ref();
        dims.check(map.weight.elements(), bias.map(Tensor::elements))?;
        x.check(("linear", "x"), (dims.rows, dims.inputs), x.buffer.len())?;
        out.check(("linear", "out"), (dims.rows, dims.outputs), out.buffer.len())?;
        let w = self.work(dims.inputs)?;
        // Each row of W is decoded once for all tokens.
        for output in 0..dims.outputs {
            map.weight.decode(output * dims.inputs, w)?;
            let mut b = [R::ZERO];
            bias.map_or(Ok(()), |bias| bias.decode(output, &mut b))?;
            let column = out.offset + output;
            for row in 0..dims.rows {
                let y = dot(&x.buffer[x.row(row, dims.inputs)], w) + b[0];
                let slot = &mut out.buffer[row * out.stride + column];
                *slot = if dims.accumulate { *slot + y } else { y };
            }
        }
        Ok(())
    }
}

impl<'a, R: Real> LowRankMap for Reference<'a, R> {
    fn low_rank(
        &mut self,
        dims: &LowRankDims,
        x: Columns<&[R]>,
        map: &LowRank<Tensor<'a>>,
        out: Columns<&mut [R]>,
    ) -> Result {
        let LowRankDims { rows, inputs, rank, outputs } = *dims;
        dims.check(map.down.elements(), map.up.elements(), map.bias.elements())?;
        x.check(("low_rank", "x"), (rows, inputs), x.buffer.len())?;
        out.check(("low_rank", "out"), (rows, outputs), out.buffer.len())?;
        let work = self.work(rank.saturating_add(rank.max(outputs)))?;
        let (middle, weights) = work.split_at_mut(rank);
        for row in 0..rows {
            let y = out.row(row, outputs);
            let y = &mut out.buffer[y];
            middle.fill(R::ZERO);
            let down = |i: usize, w: &mut [R]| map.down.decode(i * rank, w);
            add_vector_matrix(&x.buffer[x.row(row, inputs)], down, &mut weights[..rank], middle)?;
            middle.iter_mut().for_each(|x| *x = x.tanh());
            map.bias.decode(0, y)?;
            let up = |i: usize, w: &mut [R]| map.up.decode(i * outputs, w);
            add_vector_matrix(middle, up, &mut weights[..outputs], y)?;
        }
        Ok(())
    }
}

impl<R: Real> GatedLinearUnit for Reference<'_, R> {
    fn gated_linear_unit(
        &mut self,
        dims: &GluDims,
        up: Columns<&[R]>,
        gate: Columns<&[R]>,
        out: &mut [R],
    ) -> Result {
        let (operation, extents) = ("gated_linear_unit", (dims.rows, dims.width));
        enough(operation, "width", 1, dims.width)?;
        up.check((operation, "up"), extents, up.buffer.len())?;
        gate.check((operation, "gate"), extents, gate.buffer.len())?;
        enough(operation, "out", dims.rows.saturating_mul(dims.width), out.len())?;
        for (row, out) in out.chunks_exact_mut(dims.width).take(dims.rows).enumerate() {
            let up = &up.buffer[up.row(row, dims.width)];
            let gate = &gate.buffer[gate.row(row, dims.width)];
            activation::gated_linear_unit(dims, up, gate, out);
        }
        Ok(())
    }
}

impl<R: Real> SquaredRelu for Reference<'_, R> {
    fn squared_relu(&mut self, rows: usize, width: usize, x: Columns<&mut [R]>) -> Result {
        x.check(("squared_relu", "x"), (rows, width), x.buffer.len())?;
        for row in 0..rows {
            let range = x.row(row, width);
            x.buffer[range].iter_mut().for_each(|x| *x = activation::squared_relu(*x));
        }
        Ok(())
    }
}

impl<R: Real> SoftCap for Reference<'_, R> {
    fn soft_cap(&mut self, elements: usize, cap: f64, x: &mut [R]) -> Result {
        enough("soft_cap", "x", elements, x.len())?;
        let cap = R::from_f64(cap);
        x[..elements].iter_mut().for_each(|x| *x = activation::soft_cap(*x, cap));
        Ok(())
    }
}
