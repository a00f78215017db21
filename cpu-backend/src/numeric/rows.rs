//! Sharing rows out to threads.

use rayon::prelude::*;

use crate::isa::Isa;

/// Fewer elements than this are worked on by the calling thread: waking another takes as long.
const FEW_ELEMENTS: usize = 1 << 16;

/// Elements that a thread takes at once, at least.
const LEAST_ELEMENTS: usize = 1 << 14;

/// Calls `row` with the number of every row of `width` elements (the last may be shorter) and the row, compiled for
/// the instruction set. `row` has to be `#[inline(always)]` for that, and to loop by `for`: closures of its own are not.
#[inline(always)]
pub fn each_row(isa: Isa, width: usize, rows: &mut [f32], row: impl Fn(usize, &mut [f32]) + Sync) {
    if width == 0 {
        return;
    }
    if rows.len() < FEW_ELEMENTS {
        return several(isa, width, 0, rows, &row);
    }
    let even = rows.len().div_ceil(4 * rayon::current_num_threads());
    let share = even.max(LEAST_ELEMENTS).div_ceil(width);
    let shares = rows.par_chunks_mut(share * width).enumerate();
    shares.for_each(|(number, rows)| several(isa, width, number * share, rows, &row));
}

/// The same on the calling thread, for rows of which the first has this number.
#[inline(always)]
fn several(
    isa: Isa,
    width: usize,
    first: usize,
    rows: &mut [f32],
    row: &impl Fn(usize, &mut [f32]),
) {
    isa.run(
        #[inline(always)]
        || {
            for (number, of) in rows.chunks_mut(width).enumerate() {
                row(first + number, of);
            }
        },
    );
}
