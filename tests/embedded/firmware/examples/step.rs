//! The smallest firmware that runs a model: it reads eight tokens and says what comes next. What it takes of flash is what
//! the core's forward pass takes.
#![no_std]
#![no_main]

#[path = "../src/machine.rs"]
mod machine;

use core::fmt::Write;

use cortex_m_rt::entry;
use cortex_m_semihosting::hio;
use longseq_core::scratch::{StaticScratch, static_scratch};
use longseq_core::state::{StaticState, static_state};
use longseq_embedded::image::Image;
use longseq_embedded::memory::CALL;
use longseq_embedded::model::{Bound, Reader};

#[allow(unused_imports, reason = "not every family has every part")]
mod image {
    include!(concat!(env!("LONGSEQ_IMAGE"), "/image.rs"));
}

const CAPACITY: usize = 64;
const STATE: usize = static_state(&image::CONFIG, 1, CAPACITY);
const SCRATCH: usize = static_scratch(&image::CONFIG, CALL, CAPACITY);

#[entry]
fn main() -> ! {
    static mut MEMORY: (StaticState<STATE>, StaticScratch<SCRATCH>) =
        (StaticState::new(), StaticScratch::new());
    // Without tokenizer and words, which then are not linked.
    let image = Image {
        config: image::CONFIG,
        weights: image::IMAGE.weights,
        tensors: image::IMAGE.tensors,
        end_of_text: &[],
        bos: None,
        pieces: &[],
        merges: &[],
        adjectives: &[],
        nouns: &[],
    };
    let (state, scratch) = MEMORY;
    let next = Bound::new(&image).and_then(|bound| {
        let mut reader = Reader::new(bound.model(&image.config), CAPACITY, state, scratch)?;
        reader.read(&[1, 2, 3, 4, 5, 6, 7, 8])?;
        reader.next()
    });
    let (Ok(next), Ok(mut out)) = (next, hio::hstdout()) else { machine::end(false) };
    let memory = (STATE + SCRATCH) * size_of::<f32>();
    let said = writeln!(out, "next {next}");
    let reported = machine::report(image.weights.len(), memory, &mut out);
    machine::end(said.is_ok() && reported.is_ok())
}
