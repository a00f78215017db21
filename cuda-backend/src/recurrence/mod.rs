//! Operations that carry a state of fixed size, f32.
//!
//! States are as in `longseq-core`, but for the convolution's, which is \[K−1, C\]: channels side by side, as they are
//! read.

mod causal_conv1d;
mod rg_lru;
mod ssd;
mod token_shift;
mod wkv6;

use longseq_core::{
    backend::Elements,
    batch::Sequences,
    error::{ShapeError, enough},
    state::StateMut,
};

use crate::{
    Cuda, Result,
    buffer::Buffer,
    kernels::CARRY_INPUTS,
    launch::{Grid, i32_of, i64_of},
    runtime::{Address, Argument, Memory, Runtime},
    staging::SequenceLists,
};

/// Tokens of a thread of the kernels that take runs of tokens: RUN in their sources.
const RUN: usize = 16;

/// Where the states of a call lie on the device.
#[derive(Clone, Copy, Debug)]
struct Carried {
    lists: SequenceLists,
    /// The piece of slot 0.
    state: Address,
    /// Elements from one slot's piece to the next's.
    stride: usize,
}

impl Carried {
    /// Starts, slots, positions, state and its stride, as kernels take them.
    const fn arguments(&self) -> [Argument; 5] {
        let SequenceLists { starts, slots, positions, .. } = self.lists;
        [
            Argument::Address(starts),
            Argument::Address(slots),
            Argument::Address(positions),
            Argument::Address(self.state),
            i64_of(self.stride),
        ]
    }

    /// A thread for each of `width` channels of every sequence, which kernels number in 32 bits.
    fn threads(
        &self,
        operation: &'static str,
        width: usize,
    ) -> core::result::Result<Grid, ShapeError> {
        let threads = self.lists.count.saturating_mul(width);
        i32_of((operation, "channels of all sequences"), threads)?;
        Ok(Grid::threads(threads))
    }

    /// A thread for every four of `width` channels in every run of tokens of every sequence.
    fn runs(&self, width: usize) -> Grid {
        let (fours, threads) = (width.div_ceil(4), 128);
        let blocks = [fours.div_ceil(threads), self.lists.longest.div_ceil(RUN), self.lists.count];
        Grid { blocks, threads, dynamic_shared: 0 }
    }

    /// Blocks for each of `parts` parts of every sequence.
    fn parts(&self, parts: usize, threads: usize) -> Grid {
        Grid { blocks: [parts, self.lists.count, 1], threads, dynamic_shared: 0 }
    }
}

impl<R: Runtime> Cuda<R> {
    /// Checks that there is a state for every sequence, and uploads the sequences.
    fn carried(
        &mut self,
        operation: &'static str,
        sequences: &Sequences<'_>,
        state: &StateMut<'_, Buffer<R::Memory>>,
    ) -> Result<Carried, R::Error> {
        let (region, given) = (state.region, state.buffer.elements());
        for sequence in sequences.iter() {
            enough(operation, "state", region.slot(sequence.slot).end, given)?;
        }
        // Sequences run side by side, so that their states must not overlap.
        if sequences.iter().nth(1).is_some() {
            enough(operation, "state stride", region.elements, region.stride)?;
        }
        // Without sequences the offset is unchecked, and not used.
        let offset = (region.offset as Address).wrapping_mul(4);
        let first = state.buffer.f32((operation, "state"))?.wrapping_add(offset);
        let lists = self.stage_sequences(sequences)?;
        Ok(Carried { lists, state: first, stride: region.stride })
    }

    /// Leaves the last `past` rows of x, or of `outputs` where a sequence begins, in the states of the sequences that
    /// are longer than a run.
    ///
    /// # Safety
    /// x, at its stride, and `outputs`, if not null, have a row of so many channels for every token; the states have
    /// `past` of them.
    unsafe fn carry_inputs(
        &mut self,
        (x, stride): (Address, usize),
        outputs: Address,
        carried: &Carried,
        (channels, past): (usize, usize),
    ) -> Result<(), R::Error> {
        if carried.lists.longest <= RUN || past == 0 {
            return Ok(());
        }
        let grid = carried.threads("carry_inputs", channels)?;
        let [starts, slots, positions, state, state_stride] = carried.arguments();
        let arguments = [
            Argument::Address(x),
            i64_of(stride),
            Argument::Address(outputs),
            starts,
            slots,
            positions,
            state,
            state_stride,
            i32_of(("carry_inputs", "sequences"), carried.lists.count)?,
            i32_of(("carry_inputs", "channels"), channels)?,
            i32_of(("carry_inputs", "width"), past)?,
            i32_of(("carry_inputs", "run"), RUN)?,
        ];
        // SAFETY: the caller's; `past` is below a run.
        unsafe { self.launch(&CARRY_INPUTS, grid, &arguments) }
    }
}

/// An output of which there is enough, f32 or bf16, as kernels take it.
fn output_of<M: Memory, E>(
    (operation, operand): (&'static str, &'static str),
    buffer: &Buffer<M>,
    elements: usize,
) -> Result<[Argument; 2], E> {
    enough(operation, operand, elements, buffer.elements())?;
    buffer.output((operation, operand))
}

/// The address of f32 elements of which there are enough.
fn f32_of<M: Memory, E>(
    (operation, operand): (&'static str, &'static str),
    buffer: &Buffer<M>,
    elements: usize,
) -> Result<Address, E> {
    enough(operation, operand, elements, buffer.elements())?;
    buffer.f32((operation, operand))
}
