//! State in an array whose size the compiler knows.

use heapless::Vec;

use super::{State, StateError, StateLayout};
use crate::error::CapacityError;
use crate::hybrid::config::ModelConfig;

/// The state of `SLOTS` sequences in one array of `N` elements that may be a `static`: both slabs, and a
/// position for every slot.
#[derive(Debug)]
pub struct StaticState<const N: usize, const SLOTS: usize = 1> {
    elements: Vec<f32, N>,
    positions: [usize; SLOTS],
}

/// `N` of a [`StaticState`] for `slots` sequences of at most `capacity` tokens. Saturates where it overflows.
pub const fn static_state(config: &ModelConfig, slots: usize, capacity: usize) -> usize {
    let (recurrent, cache) = StateLayout::needs(config, slots, capacity);
    recurrent.saturating_add(cache)
}

impl<const N: usize, const SLOTS: usize> Default for StaticState<N, SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, const SLOTS: usize> StaticState<N, SLOTS> {
    /// Empty slots.
    pub const fn new() -> Self {
        Self { elements: Vec::new(), positions: [0; SLOTS] }
    }

    /// Whether `N` suffices. Where the configuration is const, the compiler can say so:
    /// `const _: () = assert!(StaticState::<N>::fits(&CONFIG, 512).is_ok());`
    ///
    /// # Errors
    /// `N` is less than [`static_state`].
    pub const fn fits(config: &ModelConfig, capacity: usize) -> Result<(), CapacityError> {
        let needed = static_state(config, SLOTS, capacity);
        if needed <= N {
            Ok(())
        } else {
            Err(CapacityError { what: "static state", needed, given: N })
        }
    }

    /// The state as `layout` divides it, which holds what it held. A slot that was never used, or was used with
    /// another layout, begins with [`State::reset`].
    ///
    /// # Errors
    /// Too little room.
    pub fn state<'s>(
        &'s mut self,
        layout: StateLayout<'s>,
    ) -> Result<State<'s, [f32]>, StateError> {
        let (recurrent, cache) = layout.elements();
        let (needed, given) = (recurrent.saturating_add(cache), N);
        if needed > given {
            let what = "static state";
            return Err(StateError::Capacity(CapacityError { what, needed, given }));
        }
        // Cannot fail: a vector grows up to its capacity.
        let _ = self.elements.resize(N, 0.0);
        let (recurrent, cache) = self.elements.split_at_mut(recurrent);
        State::new(layout, recurrent, cache, &mut self.positions)
    }
}
