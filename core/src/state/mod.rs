//! What a model remembers of each sequence, owned by the caller.
//!
//! Two slabs, because backends may keep them in different precision: `recurrent` holds last inputs and states
//! of recurrences, of fixed size a slot, `cache` holds keys and values, which grow with `capacity` up to a
//! window. Each is slot-major, \[slot, layer, …\], so that a slot is one contiguous piece.

mod fixed;
mod layout;

use core::fmt;

use crate::backend::{Elements, StateMemory};
use crate::error::CapacityError;

pub use fixed::{StaticState, static_state};
pub use layout::{LayerState, Region, StateLayout};

/// One piece of state of every slot, as an operation takes it.
#[derive(Debug)]
pub struct StateMut<'a, B: ?Sized> {
    /// The slab.
    pub buffer: &'a mut B,
    /// Where the pieces lie.
    pub region: Region,
}

/// Why a state cannot do what was asked. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// A slab or the list of positions is too small.
    Capacity(CapacityError),
    /// There is no such slot.
    Slot {
        /// The slot.
        slot: usize,
        /// How many there are.
        slots: usize,
    },
    /// A slot cannot hold so many tokens.
    Full {
        /// The slot.
        slot: usize,
        /// Tokens it would have to hold.
        needed: usize,
        /// Tokens it can hold.
        capacity: usize,
    },
    /// A recurrence cannot be run backwards: reset the slot, or copy one that stands where it should.
    CannotRewind {
        /// The slot.
        slot: usize,
        /// Tokens it holds.
        position: usize,
        /// Tokens it was asked to hold.
        to: usize,
    },
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity(error) => error.fmt(f),
            Self::Slot { slot, slots } => write!(f, "state: no slot {slot}, there are {slots}"),
            Self::Full { slot, needed, capacity } => {
                write!(f, "state: slot {slot} holds at most {capacity} tokens, {needed} needed")
            }
            Self::CannotRewind { slot, position, to } => {
                write!(f, "state: slot {slot} cannot go from token {position} back to {to}")
            }
        }
    }
}

impl core::error::Error for StateError {}

/// The state of every slot.
#[derive(Debug)]
pub struct State<'s, B: ?Sized> {
    layout: StateLayout<'s>,
    recurrent: &'s mut B,
    cache: &'s mut B,
    positions: &'s mut [usize],
}

impl<'s, B: Elements + ?Sized> State<'s, B> {
    /// Puts two slabs and a position for every slot to use, as they are: a slot that was never used begins
    /// with [`Self::reset`].
    ///
    /// # Errors
    /// Too little room.
    pub fn new(
        layout: StateLayout<'s>,
        recurrent: &'s mut B,
        cache: &'s mut B,
        positions: &'s mut [usize],
    ) -> Result<Self, StateError> {
        let (recurrent_elements, cache_elements) = layout.elements();
        for (what, needed, given) in [
            ("recurrent state", recurrent_elements, recurrent.elements()),
            ("key-value cache", cache_elements, cache.elements()),
            ("slot positions", layout.slots(), positions.len()),
        ] {
            if given < needed {
                return Err(StateError::Capacity(CapacityError { what, needed, given }));
            }
        }
        Ok(Self { layout, recurrent, cache, positions })
    }

    /// Sizes and places.
    pub const fn layout(&self) -> &StateLayout<'s> {
        &self.layout
    }

    /// How many tokens a slot holds.
    ///
    /// # Errors
    /// No such slot.
    pub fn position(&self, slot: usize) -> Result<usize, StateError> {
        if slot < self.layout.slots() {
            Ok(self.positions[slot])
        } else {
            Err(StateError::Slot { slot, slots: self.layout.slots() })
        }
    }

    /// How many tokens each slot holds.
    pub const fn positions(&self) -> &[usize] {
        self.positions
    }

    /// Empties a slot.
    ///
    /// # Errors
    /// No such slot, or the backend's.
    pub fn reset<M>(&mut self, backend: &mut M, slot: usize) -> Result<(), M::Error>
    where
        M: StateMemory<Buffer = B>,
        M::Error: From<StateError>,
    {
        self.position(slot)?;
        let stride = self.layout.slot_elements().0;
        backend.clear(self.recurrent, Region { offset: 0, stride, elements: stride }.slot(slot))?;
        self.positions[slot] = 0;
        Ok(())
    }

    /// Makes slot `to` an exact copy of slot `from`; both then continue on their own.
    ///
    /// # Errors
    /// No such slot, or the backend's.
    pub fn copy<M>(&mut self, backend: &mut M, from: usize, to: usize) -> Result<(), M::Error>
    where
        M: StateMemory<Buffer = B>,
        M::Error: From<StateError>,
    {
        let position = self.position(from)?;
        self.position(to)?;
        if from == to {
            return Ok(());
        }
        let stride = self.layout.slot_elements().0;
        let whole = Region { offset: 0, stride, elements: stride };
        backend.copy_within(self.recurrent, whole.slot(from), whole.slot(to).start)?;
        for layer in 0..self.layout.config().layers {
            let LayerState { cache, kv, .. } = self.layout.layer(layer);
            // Only the rows that tokens have been written to.
            let used = position.min(kv.rows) * kv.width;
            for half in [0, cache.elements / 2] {
                let piece = Region { offset: cache.offset + half, elements: used, ..cache };
                backend.copy_within(self.cache, piece.slot(from), piece.slot(to).start)?;
            }
        }
        self.positions[to] = position;
        Ok(())
    }

    /// Drops all but the first `to` tokens of a slot, which only models whose whole state is an unwindowed
    /// cache can do.
    ///
    /// # Errors
    /// No such slot; any carried recurrence or window, or `to` beyond what the slot holds.
    pub fn truncate(&mut self, slot: usize, to: usize) -> Result<(), StateError> {
        let position = self.position(slot)?;
        let windowed = self.layout.config().attention.is_some_and(|a| a.dims.window.is_some());
        let rewindable = self.layout.slot_elements().0 == 0 && !windowed;
        if to == position || (to < position && rewindable) {
            self.positions[slot] = to;
            Ok(())
        } else {
            Err(StateError::CannotRewind { slot, position, to })
        }
    }

    /// Checks that a slot exists and can take `tokens` more.
    pub(crate) fn check_room(&self, slot: usize, tokens: usize) -> Result<(), StateError> {
        let needed = self.position(slot)?.saturating_add(tokens);
        // Without a limit of the cache, positions must still be countable: on 32 bits 4 billion tokens.
        let capacity = self.layout.limit().unwrap_or(usize::MAX - 1);
        if needed > capacity {
            return Err(StateError::Full { slot, needed, capacity });
        }
        Ok(())
    }

    /// Notes that a slot holds `tokens` more.
    pub(crate) fn advance(&mut self, slot: usize, tokens: usize) {
        self.positions[slot] += tokens;
    }

    /// Slabs and positions, apart.
    pub(crate) fn parts(&mut self) -> (&mut B, &mut B, &[usize]) {
        (self.recurrent, self.cache, self.positions)
    }
}
