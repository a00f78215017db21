//! The recurrence of Mamba-2.

use longseq_core::{
    backend::{Columns, SsdScan},
    batch::Sequences,
    error::same,
    numeric::tensor::Dtype,
    recurrence::ssd::{SsdDims, SsdHeads},
    state::StateMut,
};

use super::{Carried, f32_of, output_of};
use crate::{
    Cuda, Result, Version,
    buffer::Buffer,
    kernels::{SSD_REF, SSD_SIZES, SsdKernels},
    launch::{Grid, i32_of},
    numeric::columns,
    runtime::{Address, Argument, Runtime},
    weight::Weight,
};

/// Threads of a block of the fast kernels.
const THREADS: usize = 128;

impl<R: Runtime> SsdScan for Cuda<R> {
    fn ssd_scan(
        &mut self,
        dims: &SsdDims,
        sequences: &Sequences<'_>,
        (xbc, dt): (&Buffer<R::Memory>, Columns<&Buffer<R::Memory>>),
        heads: &SsdHeads<Weight<R::Memory>>,
        state: StateMut<'_, Buffer<R::Memory>>,
        y: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let (operation, rows) = ("ssd_scan", sequences.rows());
        let (bias, biases) = heads.dt_bias.values(operation)?;
        let (a_log, a_logs) = heads.a_log.values(operation)?;
        let (skip, skips) = heads.d.values(operation)?;
        dims.check(a_logs, skips, state.region.elements)?;
        same(operation, "dt_bias", dims.heads, biases)?;
        let xbc = f32_of((operation, "xBC"), xbc, rows.saturating_mul(dims.xbc_width()))?;
        let [y, y_is_bf16] = output_of((operation, "y"), y, rows.saturating_mul(dims.inner()))?;
        let (dt, dt_stride) = columns((operation, "dt"), &dt, (rows, dims.heads))?;
        let carried = self.carried(operation, sequences, &state)?;
        let [starts, slots, positions, own, own_stride] = carried.arguments();
        let arguments = [
            Argument::Address(xbc),
            Argument::Address(dt),
            dt_stride,
            Argument::Address(bias),
            Argument::Address(a_log),
            Argument::Address(skip),
            y,
            y_is_bf16,
            starts,
            slots,
            positions,
            own,
            own_stride,
            i32_of((operation, "heads"), dims.heads)?,
            i32_of((operation, "groups"), dims.groups)?,
        ];
        let fast =
            SSD_SIZES.iter().find(|of| (of.head_dim, of.state) == (dims.head_dim, dims.state));
        // SAFETY: xBC, dt and y have such rows, as checked; weights and states are of the extents that were checked.
        unsafe {
            match fast {
                Some(kernels) if self.version == Version::Fast => {
                    self.ssd_fast(dims, kernels, (xbc, rows), &carried, &arguments)
                }
                _ => self.ssd_plain(dims, &carried, &arguments),
            }
        }
    }
}

impl<R: Runtime> Cuda<R> {
    /// Of heads of any size.
    ///
    /// # Safety
    /// As [`Runtime::launch`].
    unsafe fn ssd_plain(
        &mut self,
        dims: &SsdDims,
        carried: &Carried,
        arguments: &[Argument],
    ) -> Result<(), R::Error> {
        let grid = carried.threads("ssd_scan", dims.inner())?;
        let mut arguments = arguments.to_vec();
        arguments.push(i32_of(("ssd_scan", "sequences"), carried.lists.count)?);
        arguments.push(i32_of(("ssd_scan", "head size"), dims.head_dim)?);
        arguments.push(i32_of(("ssd_scan", "state size"), dims.state)?);
        // SAFETY: the caller's.
        unsafe { self.launch(&SSD_REF, grid, &arguments) }
    }

    /// In chunks on the tensor cores, and token by token what is a single token: whatever else is in the batch, so that
    /// it changes nothing.
    ///
    /// # Safety
    /// As [`Runtime::launch`]; xBC has `rows` rows.
    unsafe fn ssd_fast(
        &mut self,
        dims: &SsdDims,
        kernels: &SsdKernels,
        (xbc, rows): (Address, usize),
        carried: &Carried,
        arguments: &[Argument],
    ) -> Result<(), R::Error> {
        let grid = carried.parts(dims.heads, THREADS);
        let in_chunks = self.products_in == Dtype::Bf16;
        if in_chunks && carried.lists.longest > 1 {
            // B and C are the right part of every row.
            let bc = xbc + 4 * dims.inner() as Address;
            // SAFETY: each of the rows of xBC ends with B and C.
            let pairs =
                unsafe { self.factor((bc, dims.xbc_width()), (rows, 2 * dims.group_width())) }?;
            let mut arguments = arguments.to_vec();
            arguments.extend([Argument::Address(pairs), Argument::I32(2)]);
            let dynamic_shared = kernels.chunks.dynamic_shared as usize;
            // SAFETY: the caller's; B and C have been converted.
            unsafe { self.launch(&kernels.chunks, Grid { dynamic_shared, ..grid }, &arguments) }?;
        }
        if !in_chunks || carried.lists.shortest <= 1 {
            let mut arguments = arguments.to_vec();
            arguments.push(Argument::I32(if in_chunks { 1 } else { i32::MAX }));
            // SAFETY: the caller's.
            unsafe { self.launch(&kernels.steps, grid, &arguments) }?;
        }
        Ok(())
    }
}
