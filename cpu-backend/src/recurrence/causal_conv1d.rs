//! Depthwise causal convolution, channels side by side: in the taps and the state, too, which lie transposed, \[K, C\]
//! and \[K−1, C\].

use longseq_core::{
    backend::{CausalConv1d, Columns},
    batch::{Sequence, Sequences},
    numeric::activation::Activation,
    recurrence::causal_conv1d::{Conv, ConvDims},
    state::StateMut,
};
use rayon::prelude::*;

use super::each_sequence;
use crate::{
    Cpu, Result,
    isa::Isa,
    lanes::{filled, put},
    numeric::math::{gelu_tanh, sigmoid, silu},
    weight::Weight,
};

/// Channels that are summed together: a few vectors.
const TOGETHER: usize = 64;

/// Rows that a thread takes at once.
const ROWS: usize = 32;

/// Elements of the output that are worth waking threads.
const SHARED: usize = 1 << 16;

impl CausalConv1d for Cpu {
    fn causal_conv1d(
        &mut self,
        dims: &ConvDims,
        sequences: &Sequences<'_>,
        x: Columns<&[f32]>,
        conv: &Conv<Weight>,
        state: StateMut<'_, [f32]>,
        out: &mut [f32],
    ) -> Result {
        let (operation, channels) = ("causal_conv1d", dims.channels);
        let weight = conv.weight.values(operation)?;
        let bias = conv.bias.as_ref().map(|bias| bias.values(operation)).transpose()?;
        dims.check(weight.len(), bias.map(<[f32]>::len), state.region.elements)?;
        x.check((operation, "x"), (sequences.rows(), channels), x.buffer.len())?;
        if channels == 0 {
            return Ok(());
        }
        let rows = Rows { isa: self.isa, dims, x, taps: weight, bias };
        let shared = |rows: usize| rows * channels >= SHARED;
        let see = |sequence: Sequence, state: &mut [f32], [out]: [&mut [f32]; 1]| {
            let start = sequence.rows.start;
            let run = |(part, out): (usize, &mut [f32])| rows.run(start, part * ROWS, state, out);
            if shared(sequence.rows.len()) {
                out.par_chunks_mut(ROWS * channels).enumerate().for_each(run);
            } else {
                out.chunks_mut(ROWS * channels).enumerate().for_each(run);
            }
            if dims.prompt_leaves_outputs && sequence.position == 0 {
                state.fill(0.0);
                carry(dims, &Columns::all(&*out, channels), sequence.rows.len(), state);
            } else {
                let Columns { buffer, stride, offset } = rows.x;
                let x = Columns::from(&buffer[start * stride..], stride, offset);
                carry(dims, &x, sequence.rows.len(), state);
            }
        };
        each_sequence(
            operation,
            sequences,
            state,
            (channels, [out]),
            shared(sequences.rows()),
            see,
        )?;
        Ok(())
    }
}

/// Moves `tokens` rows into a state \[K−1, C\], whose oldest fall out.
fn carry(dims: &ConvDims, x: &Columns<&[f32]>, tokens: usize, state: &mut [f32]) {
    let new = tokens.min(dims.width - 1);
    state.copy_within(new * dims.channels.., 0);
    let places = state.chunks_exact_mut(dims.channels).rev();
    for (place, row) in places.zip((0..tokens).rev()).take(new) {
        place.copy_from_slice(&x.buffer[x.row(row, dims.channels)]);
    }
}

/// What rows of the output are made of.
struct Rows<'a> {
    isa: Isa,
    dims: &'a ConvDims,
    x: Columns<&'a [f32]>,
    /// The weight of the oldest input to that of the current one, \[K, C\].
    taps: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl Rows<'_> {
    /// Rows of the sequence that begins at row `start`, from its row `first` on.
    fn run(&self, start: usize, first: usize, state: &[f32], out: &mut [f32]) {
        let (channels, past) = (self.dims.channels, self.dims.width - 1);
        // The input that meets a tap in a row.
        let input = |row: usize, tap: usize| match (row + tap).checked_sub(past) {
            Some(row) => &self.x.buffer[self.x.row(start + row, channels)],
            None => &state[(row + tap) * channels..][..channels],
        };
        self.isa.run(
            #[inline(always)]
            || match self.dims.activation {
                Activation::Identity => self.apply(first, input, |x| x, out),
                Activation::Silu => self.apply(first, input, silu, out),
                Activation::GeluTanh => self.apply(first, input, gelu_tanh, out),
                Activation::Sigmoid => self.apply(first, input, sigmoid, out),
            },
        );
    }

    /// f(b + Σ w x), the sum from b on, from the oldest input to the current one.
    #[inline(always)]
    fn apply<'x>(
        &self,
        first: usize,
        input: impl Fn(usize, usize) -> &'x [f32],
        activation: impl Fn(f32) -> f32,
        out: &mut [f32],
    ) {
        for (row, out) in (first..).zip(out.chunks_exact_mut(self.dims.channels)) {
            let (blocks, rest) = out.as_chunks_mut::<TOGETHER>();
            for (block, out) in blocks.iter_mut().enumerate() {
                *out = self.sums(
                    row,
                    &input,
                    #[inline(always)]
                    |of| of.as_chunks().0[block],
                );
                out.iter_mut().for_each(|sum| *sum = activation(*sum));
            }
            if !rest.is_empty() {
                let sums = self.sums(
                    row,
                    &input,
                    #[inline(always)]
                    |of| filled(of.as_chunks::<TOGETHER>().1),
                );
                put(rest, &sums);
                rest.iter_mut().for_each(|sum| *sum = activation(*sum));
            }
        }
    }

    /// b + Σ w x of some `channels` of a row.
    #[inline(always)]
    fn sums<'x>(
        &self,
        row: usize,
        input: &impl Fn(usize, usize) -> &'x [f32],
        channels: impl Fn(&[f32]) -> [f32; TOGETHER],
    ) -> [f32; TOGETHER] {
        let mut sums = match self.bias {
            Some(bias) => channels(bias),
            None => [0.0; TOGETHER],
        };
        for (tap, weight) in self.taps.chunks_exact(self.dims.channels).enumerate() {
            let (weight, input) = (channels(weight), channels(input(row, tap)));
            let products = weight.iter().zip(input);
            sums.iter_mut().zip(products).for_each(|(sum, (w, x))| *sum += w * x);
        }
        sums
    }
}
