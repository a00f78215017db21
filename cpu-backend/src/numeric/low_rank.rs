//! y = b + tanh(x W₁) W₂.

use longseq_core::{
    backend::{Columns, LowRankMap},
    error::{enough, same},
    numeric::low_rank::{LowRank, LowRankDims},
};

use super::{math::tanh, rows::each_row};
use crate::{
    Cpu, Result,
    gemm::{Output, product},
    weight::Weight,
};

impl LowRankMap for Cpu {
    fn low_rank(
        &mut self,
        dims: &LowRankDims,
        x: Columns<&[f32]>,
        map: &LowRank<Weight>,
        out: Columns<&mut [f32]>,
    ) -> Result {
        let LowRankDims { rows, inputs, rank, outputs } = *dims;
        let operation = "low_rank";
        let (down, up) = (map.down.matrix(operation)?, map.up.matrix(operation)?);
        let bias = map.bias.values(operation)?;
        enough(operation, "inputs", 1, inputs)?;
        enough(operation, "rank", 1, rank)?;
        for (operand, expected, found) in [
            ("rows of W1", inputs, down.inputs()),
            ("columns of W1", rank, down.outputs()),
            ("rows of W2", rank, up.inputs()),
            ("columns of W2", outputs, up.outputs()),
            ("bias", outputs, bias.len()),
        ] {
            same(operation, operand, expected, found)?;
        }
        x.check((operation, "x"), (rows, inputs), x.buffer.len())?;
        out.check((operation, "out"), (rows, outputs), out.buffer.len())?;
        let Self { isa, lhs, work, between, .. } = self;
        let middle = between.room(rows * rank);
        let plain = Output { bias: None, accumulate: false };
        product(*isa, rows, &x, down, plain, Columns::all(&mut *middle, rank), (lhs, work));
        each_row(
            *isa,
            rank,
            middle,
            #[inline(always)]
            |_, row| {
                for x in row {
                    *x = tanh(*x);
                }
            },
        );
        let with_bias = Output { bias: Some(bias), accumulate: false };
        product(*isa, rows, &Columns::all(&*middle, rank), up, with_bias, out, (lhs, work));
        Ok(())
    }
}
