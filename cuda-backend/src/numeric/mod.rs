//! Operations on every row by itself.

pub(crate) mod activation;
mod embedding;
pub(crate) mod linear;
mod low_rank;
mod norm;
mod softmax;

use longseq_core::backend::{Columns, Elements};

use crate::{
    Result,
    buffer::Buffer,
    launch::i64_of,
    runtime::{Address, Argument, Memory},
};

/// The first column of f32 operands, which are checked to lie within their buffer, and the distance of rows.
pub(crate) fn columns<M: Memory, E>(
    name: (&'static str, &'static str),
    columns: &Columns<&Buffer<M>>,
    extents: (usize, usize),
) -> Result<(Address, Argument), E> {
    columns.check(name, extents, columns.buffer.elements())?;
    let first = 4 * columns.offset as u64;
    Ok((columns.buffer.f32(name)? + first, i64_of(columns.stride)))
}

/// The same of columns to write.
fn columns_mut<M: Memory, E>(
    name: (&'static str, &'static str),
    of: &Columns<&mut Buffer<M>>,
    extents: (usize, usize),
) -> Result<(Address, Argument), E> {
    let Columns { buffer, stride, offset } = of;
    columns(name, &Columns::from(&**buffer, *stride, *offset), extents)
}
