//! Sets of layers.

/// The most layers a model can have.
pub const MAX_LAYERS: usize = 256;

/// A set of layer numbers below [`MAX_LAYERS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerSet([u64; MAX_LAYERS / 64]);

impl LayerSet {
    /// No layer.
    pub const EMPTY: Self = Self([0; MAX_LAYERS / 64]);

    /// Adds a layer; `false` if its number is not below [`MAX_LAYERS`].
    #[must_use]
    pub fn insert(&mut self, layer: usize) -> bool {
        match self.0.get_mut(layer / 64) {
            Some(word) => {
                *word |= 1 << (layer % 64);
                true
            }
            None => false,
        }
    }

    /// Whether the layer is in the set.
    pub fn contains(&self, layer: usize) -> bool {
        self.0.get(layer / 64).is_some_and(|word| word >> (layer % 64) & 1 == 1)
    }
}
