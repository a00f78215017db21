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
    pub const fn insert(&mut self, layer: usize) -> bool {
        let known = layer < MAX_LAYERS;
        if known {
            self.0[layer / 64] |= 1 << (layer % 64);
        }
        known
    }

    /// Whether the layer is in the set.
    pub const fn contains(&self, layer: usize) -> bool {
        layer < MAX_LAYERS && self.0[layer / 64] >> (layer % 64) & 1 == 1
    }
}
