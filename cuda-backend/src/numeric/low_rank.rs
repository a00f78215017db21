//! y = b + tanh(x W₁) W₂.

use longseq_core::{
    backend::{Columns, LowRankMap},
    error::{enough, same},
    numeric::{
        low_rank::{LowRank, LowRankDims},
        tensor::Dtype,
    },
};

use super::{columns_mut, linear::Factor};
use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::LOW_RANK_TANH,
    launch::{Grid, i64_of},
    runtime::{Argument, Runtime},
    staging::Work,
    weight::Weight,
};

impl<R: Runtime> LowRankMap for Cuda<R> {
    fn low_rank(
        &mut self,
        dims: &LowRankDims,
        x: Columns<&Buffer<R::Memory>>,
        map: &LowRank<Weight<R::Memory>>,
        out: Columns<&mut Buffer<R::Memory>>,
    ) -> Result<(), R::Error> {
        let LowRankDims { rows, inputs, rank, outputs } = *dims;
        let operation = "low_rank";
        let (down, up) = (map.down.matrix(operation)?, map.up.matrix(operation)?);
        let (bias, biases) = map.bias.values(operation)?;
        enough(operation, "inputs", 1, inputs)?;
        enough(operation, "rank", 1, rank)?;
        for (operand, expected, found) in [
            ("rows of W1", inputs, down.inputs),
            ("columns of W1", rank, down.outputs),
            ("rows of W2", rank, up.inputs),
            ("columns of W2", outputs, up.outputs),
            ("bias", outputs, biases),
        ] {
            same(operation, operand, expected, found)?;
        }
        let x = Factor::new((operation, "x"), &x, (rows, inputs), down)?;
        let (out, out_stride) =
            (columns_mut((operation, "out"), &out, (rows, outputs))?.0, out.stride);
        let elements = rows.saturating_mul(rank);
        let middle = self.work(Work::Between, elements, Dtype::F32)?;
        let arguments = [Argument::Address(middle), i64_of(elements)];
        let (plain, fast) = (Grid::threads(elements), Grid::threads(elements.div_ceil(4)));
        // SAFETY: x and out have such columns and the bias a row of out, as checked; the middle has `rows` rows of the
        // rank, which W₁ makes and W₂ takes.
        unsafe {
            self.product(x, down, (middle, rank), (rows, false))?;
            self.launch_version(&LOW_RANK_TANH, plain, fast, &arguments)?;
            self.bias(bias, (out, out_stride), (rows, outputs), false)?;
            self.product(Factor::f32(middle, rank), up, (out, out_stride), (rows, true))
        }
    }
}
