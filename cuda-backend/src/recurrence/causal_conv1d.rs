//! Depthwise causal convolution.

use longseq_core::{
    backend::{CausalConv1d, Columns},
    batch::Sequences,
    recurrence::causal_conv1d::{Conv, ConvDims},
    state::StateMut,
};

use super::f32_of;
use crate::{
    Cuda, Result, Version,
    buffer::Buffer,
    kernels::CAUSAL_CONV1D,
    launch::i32_of,
    numeric::{activation, columns},
    runtime::{Argument, Runtime},
    weight::Weight,
};

/// Taps of the fast version: those of all published models.
const TAPS: usize = 4;

impl<R: Runtime> CausalConv1d for Cuda<R> {
    fn causal_conv1d(
        &mut self,
        dims: &ConvDims,
        sequences: &Sequences<'_>,
        x: Columns<&Buffer<R::Memory>>,
        conv: &Conv<Weight<R::Memory>>,
        state: StateMut<'_, Buffer<R::Memory>>,
        out: &mut Buffer<R::Memory>,
    ) -> Result<(), R::Error> {
        let (operation, rows) = ("causal_conv1d", sequences.rows());
        let ConvDims { channels, width, activation, prompt_leaves_outputs } = *dims;
        let (taps, elements) = conv.weight.values(operation)?;
        let bias = conv.bias.as_ref().map(|bias| bias.values(operation)).transpose()?;
        dims.check(elements, bias.map(|(_, biases)| biases), state.region.elements)?;
        let (at, stride) = columns((operation, "x"), &x, (rows, channels))?;
        let out = f32_of((operation, "out"), out, rows.saturating_mul(channels))?;
        let carried = self.carried(operation, sequences, &state)?;
        let [starts, slots, positions, own, own_stride] = carried.arguments();
        let arguments = [
            Argument::Address(at),
            stride,
            Argument::Address(taps),
            Argument::Address(bias.map_or(0, |(bias, _)| bias)),
            Argument::Address(out),
            starts,
            slots,
            positions,
            own,
            own_stride,
            i32_of((operation, "sequences"), carried.lists.count)?,
            i32_of((operation, "channels"), channels)?,
            i32_of((operation, "width"), width)?,
            activation::number(activation),
            Argument::I32(prompt_leaves_outputs.into()),
        ];
        let outputs = if prompt_leaves_outputs { out } else { 0 };
        let threads = carried.threads(operation, channels)?;
        let plain = self.version == Version::Plain || width != TAPS;
        // SAFETY: x has such columns and out such rows, as checked; taps, bias and every state are of the extents
        // that were checked.
        unsafe {
            if plain {
                self.launch(&CAUSAL_CONV1D.plain, threads, &arguments)
            } else {
                self.launch(&CAUSAL_CONV1D.fast, carried.runs(channels), &arguments)?;
                self.carry_inputs((at, x.stride), outputs, &carried, (channels, width - 1))
            }
        }
    }
}
