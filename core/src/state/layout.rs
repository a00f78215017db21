//! Where the state of every slot and layer lies.

use core::ops::Range;

use crate::attention::kv_cache::KvCacheDims;
use crate::hybrid::config::{ConfigError, MAX_LAYERS, MixerState, ModelConfig};

/// Where one piece of state lies in its slab: `elements` from `slot · stride + offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Start within a slot.
    pub offset: usize,
    /// Elements from one slot to the next.
    pub stride: usize,
    /// Elements of one slot's piece.
    pub elements: usize,
}

impl Region {
    /// The piece of one slot.
    pub const fn slot(&self, slot: usize) -> Range<usize> {
        let start = slot.saturating_mul(self.stride).saturating_add(self.offset);
        start..start.saturating_add(self.elements)
    }
}

/// The state of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerState {
    /// In `recurrent`: the last inputs of the mixer's convolution, \[C, K−1\], oldest first, or of its token
    /// shift, \[C\].
    pub inputs: Region,
    /// In `recurrent`: what the mixer's recurrence carries: S \[H, P, N\] of Mamba-2, h \[R\] of the RG-LRU,
    /// S \[H, K, V\] of RWKV-6.
    pub recurrence: Region,
    /// In `recurrent`: the last input of RWKV's channel mix, \[C\].
    pub feed_forward: Region,
    /// In `cache`: keys, then values, each \[rows, Hkv, D\].
    pub cache: Region,
    /// Rows and width of the cache.
    pub kv: KvCacheDims,
}

/// Sizes and places of a model's state.
#[derive(Clone, Copy, Debug)]
pub struct StateLayout<'m> {
    config: &'m ModelConfig,
    slots: usize,
    capacity: usize,
}

/// Elements of one slot's state in one layer: of its mixer and of what follows.
const fn layer_elements(
    config: &ModelConfig,
    layer: usize,
    capacity: usize,
) -> (MixerState, usize) {
    let mixer = match config.mixer(layer) {
        Some(mixer) => mixer.state(config.width, capacity),
        None => MixerState { inputs: 0, recurrence: 0, kv: KvCacheDims { rows: 0, width: 0 } },
    };
    let feed_forward = match &config.feed_forward {
        Some(part) => part.state_elements(config.width),
        None => 0,
    };
    (mixer, feed_forward)
}

impl<'m> StateLayout<'m> {
    /// For `slots` sequences of at most `capacity` tokens. (Models without attention, or whose window is not
    /// longer than that, have no such limit.)
    ///
    /// # Errors
    /// A configuration that describes no model.
    pub fn new(
        config: &'m ModelConfig,
        slots: usize,
        capacity: usize,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { config, slots, capacity })
    }

    /// What [`Self::elements`] will be, for arrays whose size the compiler must know: of `recurrent` and of
    /// `cache`.
    pub const fn needs(config: &ModelConfig, slots: usize, capacity: usize) -> (usize, usize) {
        StateLayout { config, slots, capacity }.elements()
    }

    /// The model's sizes.
    pub const fn config(&self) -> &'m ModelConfig {
        self.config
    }

    /// Number of slots.
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// The most tokens a slot can hold; `None` if there is no limit.
    pub fn limit(&self) -> Option<usize> {
        let grows = |window: Option<usize>| window.is_none_or(|window| window > self.capacity);
        self.config.attention.filter(|of| grows(of.dims.window)).map(|_| self.capacity)
    }

    /// Elements of one slot: of `recurrent` and of `cache`. Saturates where they overflow.
    pub const fn slot_elements(&self) -> (usize, usize) {
        self.elements_before(self.config.layers)
    }

    /// Elements of the slabs: of `recurrent` and of `cache`. Saturates where they overflow.
    pub const fn elements(&self) -> (usize, usize) {
        let (recurrent, cache) = self.slot_elements();
        (recurrent.saturating_mul(self.slots), cache.saturating_mul(self.slots))
    }

    /// The places of one layer's state.
    pub fn layer(&self, layer: usize) -> LayerState {
        let (recurrent_stride, cache_stride) = self.slot_elements();
        let (recurrent, cache) = self.elements_before(layer);
        let (MixerState { inputs, recurrence, kv }, feed_forward) =
            layer_elements(self.config, layer, self.capacity);
        let mut offset = recurrent;
        let mut next = |elements: usize| {
            let region = Region { offset, stride: recurrent_stride, elements };
            offset = offset.saturating_add(elements);
            region
        };
        LayerState {
            inputs: next(inputs),
            recurrence: next(recurrence),
            feed_forward: next(feed_forward),
            cache: Region { offset: cache, stride: cache_stride, elements: kv.elements() },
            kv,
        }
    }

    const fn elements_before(&self, end: usize) -> (usize, usize) {
        let (mut recurrent, mut cache, mut layer) = (0_usize, 0_usize, 0);
        while layer < end && layer < MAX_LAYERS {
            let (mixer, feed_forward) = layer_elements(self.config, layer, self.capacity);
            let carried = mixer.inputs.saturating_add(mixer.recurrence);
            recurrent = recurrent.saturating_add(carried.saturating_add(feed_forward));
            cache = cache.saturating_add(mixer.kv.elements());
            layer += 1;
        }
        (recurrent, cache)
    }
}
