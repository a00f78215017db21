//! The recurrence of RWKV-6.

use longseq_core::{
    backend::{Wkv6Inputs, Wkv6Scan},
    batch::Sequences,
    numeric::tensor::Dtype,
    recurrence::wkv6::Wkv6Dims,
    state::StateMut,
};

use super::{Carried, f32_of};
use crate::{
    Cuda, Result, Version,
    buffer::Buffer,
    kernels::{WKV6, WKV6_CHUNKS},
    launch::{Grid, i32_of},
    numeric::columns,
    runtime::{Argument, Runtime},
    weight::Weight,
};

/// K and V of the fast versions: those of all published models.
const HEAD_DIM: usize = 64;

/// Blocks of a head, and threads of each, token by token: 4 × 4 elements of the state a thread.
const PARTS: (usize, usize) = (2, 128);

/// Threads of a block in chunks.
const THREADS: usize = 256;

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
            i32_of((operation, "heads"), dims.heads)?,
        ];
        // SAFETY: inputs have such columns and out such rows, as checked; bonus and states are of the extents checked.
        unsafe {
            if self.version == Version::Plain || dims.head_dim != HEAD_DIM {
                self.wkv6_plain(dims, &carried, &arguments)
            } else {
                self.wkv6_fast(dims, &carried, &arguments)
            }
        }
    }
}

impl<R: Runtime> Cuda<R> {
    /// Of heads of any size.
    ///
    /// # Safety
    /// As [`Runtime::launch`].
    unsafe fn wkv6_plain(
        &mut self,
        dims: &Wkv6Dims,
        carried: &Carried,
        arguments: &[Argument],
    ) -> Result<(), R::Error> {
        let grid = carried.threads("wkv6_scan", dims.width())?;
        let mut arguments = arguments.to_vec();
        arguments.push(i32_of(("wkv6_scan", "sequences"), carried.lists.count)?);
        arguments.push(i32_of(("wkv6_scan", "head size"), dims.head_dim)?);
        // SAFETY: the caller's.
        unsafe { self.launch(&WKV6.plain, grid, &arguments) }
    }

    /// In chunks on the tensor cores, and token by token what is a single token: whatever else is in the batch, so that
    /// it changes nothing.
    ///
    /// # Safety
    /// As [`Runtime::launch`].
    unsafe fn wkv6_fast(
        &mut self,
        dims: &Wkv6Dims,
        carried: &Carried,
        arguments: &[Argument],
    ) -> Result<(), R::Error> {
        let in_chunks = self.products_in == Dtype::Bf16;
        if in_chunks && carried.lists.longest > 1 {
            let dynamic_shared = WKV6_CHUNKS.dynamic_shared as usize;
            let grid = Grid { dynamic_shared, ..carried.parts(dims.heads, THREADS) };
            let arguments = [arguments, &[Argument::I32(2)]].concat();
            // SAFETY: the caller's.
            unsafe { self.launch(&WKV6_CHUNKS, grid, &arguments) }?;
        }
        if !in_chunks || carried.lists.shortest <= 1 {
            let grid = carried.parts(dims.heads.saturating_mul(PARTS.0), PARTS.1);
            let most = if in_chunks { 1 } else { i32::MAX };
            let arguments = [arguments, &[Argument::I32(most)]].concat();
            // SAFETY: the caller's.
            unsafe { self.launch(&WKV6.fast, grid, &arguments) }?;
        }
        Ok(())
    }
}
