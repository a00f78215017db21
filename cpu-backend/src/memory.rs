//! How much memory the operations work in. It is known before the first call, and set aside then: later calls allocate
//! nothing.

use std::collections::TryReserveError;

use longseq_core::{
    hybrid::config::{FeedForward, Mixer, ModelConfig},
    scratch::{ScratchElements, scratch},
};

use crate::{Cpu, attention, gemm, isa::Isa, recurrence};

/// What a forward pass may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {
    /// Tokens of all sequences, at most.
    pub tokens: usize,
    /// Rows whose logits are wanted, at most.
    pub rows: usize,
    /// Sequences, at most.
    pub slots: usize,
    /// Tokens that a sequence comes to, at most.
    pub capacity: usize,
}

/// Of what matrices are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Some are in bf16.
    pub bf16: bool,
    /// Some are in f32.
    pub f32: bool,
}

/// Room for every operation of a model's forward pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    products: gemm::Room,
    recurrence: recurrence::Room,
    attention: attention::Room,
}

impl Room {
    /// For a model; `products` says whether those without weights may be in bf16.
    pub fn new(
        config: &ModelConfig,
        isa: Isa,
        (kinds, products): (Kinds, bool),
        extents: &Extents,
    ) -> Self {
        let (width, tokens) = (config.width, extents.tokens);
        let pairs = products && isa.has_bf16();
        let mut room = Self::default();
        // Rows that matrices are multiplied by, and what comes out.
        let ScratchElements { projected, mixed, .. } = scratch(config, 1);
        let (mut inputs, mut outputs) = (width.max(mixed), width.max(mixed).max(projected));
        if let Some(FeedForward::ChannelMix(of)) = config.feed_forward {
            inputs = inputs.max(of.hidden);
        }
        for mixer in (0..config.layers).filter_map(|layer| config.mixer(layer)) {
            match mixer {
                Mixer::Recurrent(of) => {
                    let found = recurrence::Room::new(&of, width, tokens, pairs);
                    (inputs, outputs) = (inputs.max(found.rank), outputs.max(found.rank));
                    room.recurrence = room.recurrence.max(found);
                }
                Mixer::Attention(of) => {
                    room.attention = attention::Room::new(isa, products, &of.dims, extents);
                }
            }
        }
        let head = gemm::Room::new(isa, kinds, (extents.rows, width, config.vocabulary));
        room.products = gemm::Room::new(isa, kinds, (tokens, inputs, outputs)).max(head);
        room
    }

    /// Bytes, if so many threads compute.
    pub fn bytes(&self, threads: usize) -> usize {
        let Self { products, recurrence, attention } = self;
        let elements = self.work().saturating_add(recurrence.between);
        let shared = elements.saturating_mul(size_of::<f32>());
        let shared = shared.saturating_add(products.lhs.bytes()).saturating_add(attention.bytes());
        let shared = shared.saturating_add(recurrence.chunks.bytes());
        let own = products.own.bytes().saturating_add(recurrence.own_bytes());
        let own = own.saturating_add(attention.own_bytes());
        shared.saturating_add(own.saturating_mul(threads))
    }

    /// Elements of [`Cpu::work`].
    fn work(&self) -> usize {
        self.products.work.max(self.attention.work)
    }
}

impl Cpu {
    /// Sets room aside, on every thread of rayon's pool: what fits into it allocates nothing.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn reserve(&mut self, room: &Room) -> Result<(), TryReserveError> {
        self.lhs.reserve(room.products.lhs)?;
        self.work.reserve(room.work())?;
        self.between.reserve(room.recurrence.between)?;
        room.attention.reserve(&mut self.attention)?;
        room.recurrence.chunks.reserve(&mut self.ssd)?;
        let own = rayon::broadcast(|_| {
            room.products.reserve_own()?;
            room.recurrence.reserve_own()?;
            room.attention.reserve_own()
        });
        own.into_iter().collect()
    }
}

/// Makes room for so many elements in all.
pub fn reserve<T>(buffer: &mut Vec<T>, elements: usize) -> Result<(), TryReserveError> {
    buffer.try_reserve_exact(elements.saturating_sub(buffer.len()))
}
