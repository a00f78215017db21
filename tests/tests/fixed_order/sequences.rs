//! The batch that operations with state are run on.

use longseq_embedded::ops::{CU_SEQLENS, POSITIONS, SLOTS};

/// Every token in order: its row, its slot, its position.
pub fn tokens() -> Vec<(usize, usize, usize)> {
    let sequences = CU_SEQLENS.windows(2).zip(SLOTS);
    let token = |(ends, slot): (&[usize], usize)| {
        let first = ends[0];
        (first..ends[1]).map(move |row| (row, slot, POSITIONS[slot] + row - first))
    };
    sequences.flat_map(token).collect()
}

/// One row of so many.
pub fn row<T>(of: &[T], rows: usize, row: usize) -> &[T] {
    let width = of.len() / rows;
    &of[row * width..][..width]
}

/// One slot of two.
pub fn slot(state: &mut [f32], slot: usize) -> &mut [f32] {
    let elements = state.len() / 2;
    &mut state[slot * elements..][..elements]
}
