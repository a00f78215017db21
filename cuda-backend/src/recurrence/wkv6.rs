//! The recurrence of RWKV-6.

use longseq_core::{
    backend::{Wkv6Inputs, Wkv6Scan},
    batch::Sequences,
    recurrence::wkv6::Wkv6Dims,
    state::StateMut,
};

use super::f32_of;
use crate::{
    Cuda, Result, Version,
    buffer::Buffer,
    kernels::WKV6,
    launch::i32_of,
    numeric::columns,
    runtime::{Argument, Runtime},
    weight::Weight,
};

/// K and V of the fast version: those of all published models.
const HEAD_DIM: usize = 64;

/// Blocks of a head, and threads of each: 4 × 4 elements of the state a thread.
const PARTS: (usize, usize) = (2, 128);

impl<R: Runtime> Wkv6Scan for Cuda<R> {
    fn wkv6_scan(
        &mut self,
        dims: &Wkv6Dims,
        sequences: &Sequences<'_>,
        inputs: Wkv6Inputs<'_, Buffer<R::Memory>>,
        bonus: &Weight<R::Memory>,
        state: StateMut<'_, Buffer<R::Memory>>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let (operation, rows, width) = ("wkv6_scan", sequences.rows(), dims.width());
        let Wkv6Inputs { receptance, key, value, decay } = inputs;
        let (bonus, elements) = bonus.values(operation)?;
        dims.check(elements, state.region.elements)?;
        let of = |operand, of| columns((operation, operand), of, (rows, width));
        let (r, r_stride) = of("receptance", &receptance)?;
        let (k, k_stride) = of("key", &key)?;
        let (v, v_stride) = of("value", &value)?;
        let (d, d_stride) = of("decay", &decay)?;
        let out = f32_of((operation, "out"), out, rows.saturating_mul(width))?;
        let carried = self.carried(operation, sequences, &state)?;
        let [starts, slots, positions, own, own_stride] = carried.arguments();
        let arguments = [
            Argument::Address(r),
            r_stride,
            Argument::Address(k),
            k_stride,
            Argument::Address(v),
            v_stride,
            Argument::Address(d),
            d_stride,
            Argument::Address(bonus),
            Argument::Address(out),
            starts,
            slots,
            positions,
            own,
            own_stride,
            i32_of((operation, "sequences"), carried.lists.count)?,
            i32_of((operation, "heads"), dims.heads)?,
            i32_of((operation, "head size"), dims.head_dim)?,
        ];
        let plain = self.version == Version::Plain || dims.head_dim != HEAD_DIM;
        let (kernel, grid) = if plain {
            (&WKV6.plain, carried.threads(operation, width)?)
        } else {
            (&WKV6.fast, carried.parts(dims.heads.saturating_mul(PARTS.0), PARTS.1))
        };
        // SAFETY: inputs have such columns and out such rows, as checked; bonus and states are of the extents checked.
        unsafe { self.launch(kernel, grid, &arguments) }
    }
}
