//! What operations work in, and the small lists that they read: tokens, rows, sequences.

use longseq_core::{
    attention::rope::rope_frequencies,
    backend::Elements,
    batch::{Batch, Sequences},
    error::ShapeError,
    numeric::tensor::Dtype,
};

use crate::{
    Cuda, CudaError, Result,
    buffer::Buffer,
    queue::Queue,
    runtime::{Address, Memory, Runtime},
};

/// Kept from call to call; it grows where it is short.
#[derive(Debug)]
pub(crate) struct Staging<M> {
    tokens: List<M>,
    rows: List<M>,
    sequences: List<M>,
    frequencies: List<M>,
    /// Base, as bits, and pairs of the frequencies.
    rotation: Option<(u64, usize)>,
    work: [Option<Buffer<M>>; 3],
}

impl<M> Default for Staging<M> {
    fn default() -> Self {
        let list = || List { memory: None, content: Vec::new() };
        Self {
            tokens: list(),
            rows: list(),
            sequences: list(),
            frequencies: list(),
            rotation: None,
            work: [const { None }; 3],
        }
    }
}

/// A list on the device, and what it holds there: the sequences of a forward pass are uploaded once for all layers.
#[derive(Debug)]
struct List<M> {
    memory: Option<M>,
    content: Vec<u32>,
}

impl<M: Memory> List<M> {
    /// Uploads values, unless they are there.
    fn put<R: Runtime<Memory = M>>(
        &mut self,
        queue: &mut Queue<R>,
        values: impl Iterator<Item = u32> + Clone,
    ) -> Result<Address, R::Error> {
        if let Some(memory) = &self.memory
            && self.content.iter().copied().eq(values.clone())
        {
            return Ok(memory.address());
        }
        self.content.clear();
        let bytes: Vec<u8> = values.clone().flat_map(u32::to_ne_bytes).collect();
        // What waits may read what was here.
        let runtime = queue.now()?;
        let fits = |memory: &M| memory.bytes() >= bytes.len();
        let memory = match self.memory.take().filter(fits) {
            Some(memory) => memory,
            None => {
                let bytes = bytes.len().next_power_of_two().max(1024);
                runtime.allocate(bytes).map_err(CudaError::Runtime)?
            }
        };
        let address = memory.address();
        runtime.upload(&bytes, &memory, 0).map_err(CudaError::Runtime)?;
        (self.memory, self.content) = (Some(memory), values.collect());
        Ok(address)
    }
}

/// The sequences of a batch on the device: three lists of `int`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SequenceLists {
    /// How many sequences.
    pub(crate) count: usize,
    /// Tokens of the longest.
    pub(crate) longest: usize,
    /// Tokens of the shortest.
    pub(crate) shortest: usize,
    /// Where each begins among the rows, and the end of the last: \[count + 1\].
    pub(crate) starts: Address,
    /// The slot of each, \[count\].
    pub(crate) slots: Address,
    /// How many tokens each slot held before, \[count\].
    pub(crate) positions: Address,
}

/// What working memory is for: one operation may use all of them at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// The left side of a product, in the weight's dtype.
    Factor,
    /// What the first of two products leaves for the second, or a scan's parts.
    Between,
    /// Anything else.
    Other,
}

impl<R: Runtime> Cuda<R> {
    /// Uploads token ids.
    pub(crate) fn stage_tokens(&mut self, tokens: &[u32]) -> Result<Address, R::Error> {
        self.staging.tokens.put(&mut self.queue, tokens.iter().copied())
    }

    /// Uploads numbers of rows, which are below 2³².
    pub(crate) fn stage_rows(&mut self, rows: &[usize]) -> Result<Address, R::Error> {
        self.staging.rows.put(&mut self.queue, rows.iter().map(|&row| row as u32))
    }

    /// Uploads rotary frequencies, f32, unless they are those of the call before.
    pub(crate) fn stage_frequencies(
        &mut self,
        base: f64,
        pairs: usize,
    ) -> Result<Address, R::Error> {
        let list = &mut self.staging.frequencies;
        let rotation = Some((base.to_bits(), pairs));
        if let Some(memory) = list.memory.as_ref().filter(|_| self.staging.rotation == rotation) {
            return Ok(memory.address());
        }
        let mut frequencies = vec![0.0_f32; pairs];
        rope_frequencies(base, &mut frequencies);
        self.staging.rotation = None;
        let address = list.put(&mut self.queue, frequencies.iter().map(|x| x.to_bits()))?;
        self.staging.rotation = rotation;
        Ok(address)
    }

    /// Uploads the sequences of a batch.
    pub(crate) fn stage_sequences(
        &mut self,
        sequences: &Sequences<'_>,
    ) -> Result<SequenceLists, R::Error> {
        let all = sequences.iter();
        let (count, first) = (all.clone().count(), core::iter::once(0));
        let starts = first.chain(all.clone().map(|of| of.rows.end));
        let slots = all.clone().map(|of| of.slot);
        let positions = all.clone().map(|of| of.position);
        let values = starts.chain(slots).chain(positions);
        // A position grows by the sequence's length, and both together are an `int` on the device.
        let ends = all.clone().map(|of| of.position.saturating_add(of.rows.len()));
        if let Some(found) = values.clone().chain(ends).find(|&x| x > i32::MAX as usize) {
            let (operation, operand, expected) = ("sequences", "positions", i32::MAX as usize);
            return Err(ShapeError { operation, operand, expected, found }.into());
        }
        let values = values.map(|value| value as u32);
        let starts = self.staging.sequences.put(&mut self.queue, values)?;
        let slots = starts + 4 * (count as u64 + 1);
        let lengths = all.map(|of| of.rows.len());
        let longest = lengths.clone().max().unwrap_or(0);
        let shortest = lengths.min().unwrap_or(0);
        let positions = slots + 4 * count as u64;
        Ok(SequenceLists { count, longest, shortest, starts, slots, positions })
    }

    /// Uploads all lists of a batch.
    pub(crate) fn stage(&mut self, batch: &Batch<'_>, positions: &[usize]) -> Result<(), R::Error> {
        self.stage_tokens(batch.tokens())?;
        self.stage_rows(batch.logits_for())?;
        self.stage_sequences(&batch.sequences(positions))?;
        Ok(())
    }

    /// Where working memory of so many elements begins; what it holds does not matter.
    pub(crate) fn work(
        &mut self,
        work: Work,
        elements: usize,
        dtype: Dtype,
    ) -> Result<Address, R::Error> {
        let needed = elements.saturating_mul(dtype.bytes()).div_ceil(4);
        Ok(self.work_buffer(work, needed)?.address())
    }

    /// The same as a buffer of f32.
    pub(crate) fn work_buffer(
        &mut self,
        work: Work,
        elements: usize,
    ) -> Result<Buffer<R::Memory>, R::Error> {
        let place = work as usize;
        let fits = |buffer: &&Buffer<R::Memory>| buffer.elements() >= elements;
        if let Some(kept) = self.staging.work[place].as_ref().filter(fits) {
            return Ok(kept.share());
        }
        // One that is too short goes before the next comes, and when nothing waits that may use it.
        self.queue.now()?;
        self.staging.work[place] = None;
        let buffer = self.buffer(elements, Dtype::F32)?;
        Ok(self.staging.work[place].insert(buffer).share())
    }
}
