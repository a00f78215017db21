//! The real-gated linear recurrent unit: its gates as products, then the scan.

use longseq_core::{
    backend::RgLru,
    batch::Sequences,
    error::{enough, same},
    numeric::tensor::Dtype,
    recurrence::rg_lru::{RgLruDims, RgLruWeights},
    state::StateMut,
};

use super::f32_of;
use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::RG_LRU,
    launch::i32_of,
    runtime::{Argument, Runtime},
    staging::Work,
    weight::Weight,
};

/// Channels of a block.
const WARP: usize = 32;

impl<R: Runtime> RgLru for Cuda<R> {
    fn rg_lru(
        &mut self,
        dims: &RgLruDims,
        sequences: &Sequences<'_>,
        x: &mut Buffer<R::Memory>,
        weights: &RgLruWeights<Weight<R::Memory>>,
        state: StateMut<'_, Buffer<R::Memory>>,
    ) -> Result<(), R::Error> {
        let (operation, rows, channels) = ("rg_lru", sequences.rows(), dims.channels);
        check::<R>(dims, weights, state.region.elements)?;
        let elements = rows.saturating_mul(channels);
        let x = f32_of((operation, "x"), x, elements)?;
        let carried = self.carried(operation, sequences, &state)?;
        let gates = self.work(Work::Between, elements.saturating_mul(2), Dtype::F32)?;
        let mut factor = None;
        for (place, gate) in [&weights.input_gate, &weights.recurrent_gate].into_iter().enumerate()
        {
            let weight = gate.weight.matrices(operation)?;
            let out = (gates + 4 * (place * channels) as u64, 2 * channels);
            // SAFETY: x has a row of all blocks for every token, as checked, and so has the factor made of it; the
            // gates have two.
            unsafe {
                let from = match (weight.elements.dtype(), factor) {
                    (Dtype::F32, _) => x,
                    (_, Some(factor)) => factor,
                    (_, None) => *factor.insert(self.factor((x, channels), (rows, channels))?),
                };
                self.multiply((from, channels), weight, out, (rows, false))?;
            }
        }
        let [starts, slots, positions, own, stride] = carried.arguments();
        let arguments = [
            Argument::Address(x),
            Argument::Address(gates),
            Argument::Address(weights.input_gate.bias.values(operation)?.0),
            Argument::Address(weights.recurrent_gate.bias.values(operation)?.0),
            Argument::Address(weights.decay.values(operation)?.0),
            starts,
            slots,
            positions,
            own,
            stride,
            i32_of((operation, "sequences"), carried.lists.count)?,
            i32_of((operation, "channels"), channels)?,
        ];
        let plain = carried.threads(operation, channels)?;
        let fast = carried.parts(channels.div_ceil(WARP), 8 * WARP);
        // SAFETY: x has a row for every token and the gates two; biases, Λ and every state are one.
        unsafe { self.launch_version(&RG_LRU, plain, fast, &arguments) }
    }
}

fn check<R: Runtime>(
    dims: &RgLruDims,
    weights: &RgLruWeights<Weight<R::Memory>>,
    state: usize,
) -> Result<(), R::Error> {
    let (operation, width) = ("rg_lru", dims.block_width());
    enough(operation, "extents", 1, dims.channels.min(dims.blocks))?;
    same(operation, "blocks", dims.channels, width.saturating_mul(dims.blocks))?;
    for gate in [&weights.input_gate, &weights.recurrent_gate] {
        let matrices = gate.weight.matrices(operation)?;
        same(operation, "gate", dims.blocks, matrices.count)?;
        same(operation, "gate", width, matrices.inputs)?;
        same(operation, "gate", width, matrices.outputs)?;
        same(operation, "gate bias", dims.channels, gate.bias.values(operation)?.1)?;
    }
    same(operation, "decay", dims.channels, weights.decay.values(operation)?.1)?;
    same(operation, "state", dims.channels, state)?;
    Ok(())
}
