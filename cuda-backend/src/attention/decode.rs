//! Few queries of a sequence, to parts of its keys at once.

use longseq_core::numeric::tensor::Dtype;

use super::call::Call;
use crate::{
    Cuda, Result,
    kernels::{DECODE_COMBINE, DECODE_ROWS, HeadKernels},
    launch::{Grid, i32_of},
    runtime::{Address, Argument, Runtime},
    staging::Work,
};

/// Positions of a part: PART of kernels/attention/decode.cu.
const PART: usize = 256;

/// Parts of a grid: 1, 2, 3, 4, 6, 8, 12, 16 and so on, so that sequences that grow launch the same for long. A block
/// without a part ends at once.
const fn rounded_up(parts: usize) -> usize {
    let above = parts.next_power_of_two();
    let between = above / 4 * 3;
    if between >= parts { between } else { above }
}

impl<R: Runtime> Cuda<R> {
    /// Attends with every token of the sequences that have few.
    ///
    /// # Safety
    /// out, as kernels take it, has the call's rows; keys that they see and queries are in their places.
    pub(super) unsafe fn decode(
        &mut self,
        call: &Call<'_>,
        kernels: &HeadKernels,
        out: [Argument; 2],
    ) -> Result<(), R::Error> {
        let (dims, count) = (call.dims, call.lists.count);
        let few = || call.sequences.iter().filter(|of| call.is_few(of));
        let Some(tokens) = few().map(|of| of.rows.len()).max() else { return Ok(()) };
        let rows = tokens.saturating_mul(call.group());
        let parts = few().map(|of| {
            let first = dims.seen_in_call(&of, 0).start / PART;
            dims.seen_in_call(&of, of.rows.len() - 1).end.div_ceil(PART) - first
        });
        let parts = rounded_up(parts.max().unwrap_or(0));
        // Sums of every row and part, then their two statistics.
        let all =
            [dims.kv_heads, rows, parts].iter().fold(count, |all, of| all.saturating_mul(*of));
        let sums = all.saturating_mul(dims.head_dim);
        let elements = sums.saturating_add(all.saturating_mul(2));
        let work = self.work(Work::Other, elements, Dtype::F32)?;
        let statistics = work + 4 * sums as Address;
        let rows_of = i32_of(("decode", "rows"), rows)?;
        let arguments =
            call.arguments(&[Argument::Address(work), Argument::Address(statistics), rows_of])?;
        let kernel = &kernels.decode;
        let grid = Grid {
            blocks: [parts, dims.kv_heads.saturating_mul(rows.div_ceil(DECODE_ROWS)), count],
            threads: kernel.threads as usize,
            dynamic_shared: kernel.dynamic_shared as usize,
        };
        // SAFETY: the caller's; there is room for the parts of every row.
        unsafe { self.launch(kernel, grid, &arguments) }?;
        let [out, is_bf16] = out;
        let arguments = call.arguments(&[
            out,
            is_bf16,
            Argument::Address(work),
            Argument::Address(statistics),
            i32_of(("decode", "parts"), parts)?,
            rows_of,
        ])?;
        let grid = Grid {
            blocks: [rows, dims.kv_heads, count],
            threads: dims.head_dim.div_ceil(4),
            dynamic_shared: 0,
        };
        // SAFETY: the caller's; the parts are those just made.
        unsafe { self.launch(&DECODE_COMBINE, grid, &arguments) }
    }
}

#[cfg(test)]
mod tests {
    use super::rounded_up;

    #[test]
    fn few_grids_of_little_more_than_is_needed() {
        let grids: Vec<_> = (1..=1000).map(rounded_up).collect();
        assert!(grids.iter().zip(1..).all(|(&grid, parts)| grid >= parts && grid * 2 < parts * 3));
        let mut different = grids;
        different.dedup();
        assert_eq!(
            different,
            [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]
        );
    }
}
