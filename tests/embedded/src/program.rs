//! The program: a command, and lines of output. On a microcontroller and on the host it is this same code.

use core::fmt::{Display, Write};

use longseq_core::hybrid::weights::Model;
use longseq_core::numeric::tensor::Tensor;

use crate::command::Command;
use crate::draw::Draw;
use crate::failure::Failure;
use crate::hash::Hash;
use crate::image::Image;
use crate::memory::{CALL, Memory};
use crate::model::{Bound, Reader};
use crate::{ops, sample};

/// Tokens between two lines about memory.
const EVERY: usize = 256;

/// What only the machine knows. Lines about it begin with `device` and are not compared.
pub trait Device {
    /// Instructions executed so far, if they can be counted.
    fn instructions(&mut self) -> Option<u64>;
}

/// Runs a command.
///
/// # Errors
/// See [`Failure`].
pub fn run<const STATE: usize, const SCRATCH: usize>(
    line: &str,
    image: &Image<'_>,
    memory: &mut Memory<STATE, SCRATCH>,
    out: &mut dyn Write,
    device: &mut dyn Device,
) -> Result<(), Failure> {
    let command = Command::parse(line).ok_or(Failure::Usage)?;
    writeln!(out, "{line}")?;
    if let Command::Ops { seed } = command {
        return ops::each(seed, &mut |name, hash| {
            writeln!(out, "{name} {:016x}", hash.value()).map_err(Failure::from)
        });
    }
    let bound = Bound::new(image)?;
    let model = bound.model(&image.config);
    let Memory { state, scratch, room } = memory;
    match command {
        Command::Ops { .. } => Ok(()),
        Command::Sample { .. } => {
            let prompt = sample::Prompt::draw(&command, image, room, out)?;
            let capacity = prompt.tokens.len().saturating_add(prompt.tokens_to_generate);
            let reader = Reader::new(model, capacity, state, scratch)?;
            sample::answer(&prompt, reader, image, out, device)
        }
        Command::Read { tokens, capacity, seed } => {
            let reader = Reader::new(model, capacity, state, scratch)?;
            read(tokens, seed, &model, reader, out, device)
        }
    }
}

/// Reads a text of random tokens and says what it takes to remember it.
fn read(
    tokens: usize,
    seed: u64,
    model: &Model<'_, Tensor<'_>>,
    mut reader: Reader<'_, '_>,
    out: &mut dyn Write,
    device: &mut dyn Device,
) -> Result<(), Failure> {
    let mut draw = Draw::new(seed);
    let vocabulary = model.config.vocabulary as u64;
    let counting = Counting::begin(device);
    let mut done = 0;
    while done < tokens {
        let call: [u32; CALL] = core::array::from_fn(|_| (draw.bits() % vocabulary) as u32);
        let call = &call[..CALL.min(tokens - done)];
        reader.read(call)?;
        done += call.len();
        if done.is_multiple_of(EVERY) || done == tokens {
            let [recurrent, used, room] = reader.bytes();
            writeln!(
                out,
                "{done} tokens: state {recurrent} bytes, cache {used} of {room} bytes, logits {:016x}",
                reader.logits().value()
            )?;
        }
    }
    counting.end("token read", tokens, out, device)
}

/// Counts instructions of a piece of the program.
pub struct Counting(Option<u64>);

impl Counting {
    /// From here.
    pub fn begin(device: &mut dyn Device) -> Self {
        Self(device.instructions())
    }

    /// To here, for so many of `what`.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn end(
        self,
        what: &str,
        count: usize,
        out: &mut dyn Write,
        device: &mut dyn Device,
    ) -> Result<(), Failure> {
        if let (Some(begin), Some(end), true) = (self.0, device.instructions(), count > 0) {
            writeln!(out, "device instructions/{what} {}", end.wrapping_sub(begin) / count as u64)?;
        }
        Ok(())
    }
}

/// The hash of what something displays as.
///
/// # Errors
/// None.
pub fn hash_of(text: &dyn Display) -> Result<Hash, Failure> {
    struct Sink(Hash);
    impl Write for Sink {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0.bytes(text.as_bytes());
            Ok(())
        }
    }
    let mut sink = Sink(Hash::default());
    write!(sink, "{text}")?;
    Ok(sink.0)
}
