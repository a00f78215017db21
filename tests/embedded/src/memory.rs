//! All memory of the program but its stack: one value, which a firmware keeps in a `static`.

use heapless::{String, Vec};
use longseq_core::ruler::needle::{Needle, Value};
use longseq_core::ruler::options::Workspace;
use longseq_core::ruler::words::{PairBuffers, Run};
use longseq_core::scratch::StaticScratch;
use longseq_core::state::StaticState;

/// Tokens of one call of the forward pass. A weight is decoded once a call: more are faster and take more scratch.
pub const CALL: usize = 16;
/// The longest prompt, in bytes.
pub const TEXT: usize = 16 << 10;
/// The longest prompt, in tokens.
pub const TOKENS: usize = 4096;

/// State, scratch, and the room that a prompt is made in.
#[derive(Debug)]
pub struct Memory<const STATE: usize, const SCRATCH: usize> {
    /// What the model remembers.
    pub state: StaticState<STATE>,
    /// What a forward pass works in.
    pub scratch: StaticScratch<SCRATCH>,
    /// For prompts and answers.
    pub room: Room,
}

impl<const STATE: usize, const SCRATCH: usize> Default for Memory<STATE, SCRATCH> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const STATE: usize, const SCRATCH: usize> Memory<STATE, SCRATCH> {
    /// All of it empty.
    pub const fn new() -> Self {
        Self { state: StaticState::new(), scratch: StaticScratch::new(), room: Room::new() }
    }
}

/// What prompts are made in. The word lists may have so many entries as their buffers.
#[derive(Debug)]
pub struct Room {
    /// The prompt.
    pub text: String<TEXT>,
    /// Its tokens.
    pub tokens: Vec<u32, TOKENS>,
    /// For the generator.
    pub generator: GeneratorRoom,
    /// For the pairs of words that keys are.
    pub pairs: PairRoom,
}

impl Room {
    const fn new() -> Self {
        Self {
            text: String::new(),
            tokens: Vec::new(),
            generator: GeneratorRoom::new(),
            pairs: PairRoom::new(),
        }
    }
}

/// Lines of a haystack of needles: each takes ten tokens and more.
const NEEDLES: usize = 256;
const EMPTY: Needle = Needle { key: Value::Number(0), value: Value::Number(0) };

/// A [`Workspace`], enough for `niah`, `vt` and `fwe` of profile `mini` at 2,048 tokens.
#[derive(Debug)]
pub struct GeneratorRoom {
    needles: [Needle; NEEDLES],
    order: [u32; 2 * TOKENS],
    scratch: [u32; TOKENS],
    names: [[u8; 6]; 128],
}

impl GeneratorRoom {
    const fn new() -> Self {
        Self {
            needles: [EMPTY; NEEDLES],
            order: [0; 2 * TOKENS],
            scratch: [0; TOKENS],
            names: [[0; 6]; 128],
        }
    }

    /// The buffers.
    pub fn workspace(&mut self) -> Workspace<'_> {
        let Self { needles, order, scratch, names } = self;
        Workspace { needles, order, scratch, names, ..Workspace::default() }
    }
}

/// [`PairBuffers`].
#[derive(Debug)]
pub struct PairRoom {
    adjectives: [u32; 2048],
    nouns: [u32; 4096],
    cursors: [u32; 2048],
    runs: [Run; 4096],
}

impl PairRoom {
    const fn new() -> Self {
        Self {
            adjectives: [0; 2048],
            nouns: [0; 4096],
            cursors: [0; 2048],
            runs: [Run::EMPTY; 4096],
        }
    }

    /// The buffers.
    pub fn buffers(&mut self) -> PairBuffers<'_> {
        let Self { adjectives, nouns, cursors, runs } = self;
        PairBuffers { adjectives, nouns, cursors, runs }
    }
}
