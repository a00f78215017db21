//! Bad input is refused with a typed error, and what was there stays.

use longseq_core::batch::{Batch, BatchError};
use longseq_core::hybrid::ForwardError;
use longseq_core::hybrid::bind::{BindError, WeightSource, bind_ends, bind_layer};
use longseq_core::hybrid::config::{
    ChannelMixConfig, ConfigError, Family, FeedForward, ModelConfig, Recurrence, RgLruConfig,
    SsdConfig, Wkv6Config,
};
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::ReferenceError;
use longseq_core::scratch::{Scratch, scratch};
use longseq_core::state::{State, StateError, StateLayout};
use longseq_tests::runner::Runner;

#[test]
fn refused_batches_change_nothing() {
    let checkpoint = super::checkpoint("mamba2attn");
    let mut runner = Runner::<f32>::new(&checkpoint, 2, 4);
    let vocabulary = runner.config().vocabulary;
    runner.all(0, &[5, 6]);
    let token = ForwardError::Token { row: 1, token: 112, vocabulary };
    assert_eq!(runner.forward(&[(0, &[1, 112])], &[]), Err(token));
    let full = StateError::Full { slot: 0, needed: 5, capacity: 4 };
    assert_eq!(runner.forward(&[(1, &[1]), (0, &[1, 2, 3])], &[]), Err(ForwardError::State(full)));
    let missing = StateError::Slot { slot: 2, slots: 2 };
    assert_eq!(runner.forward(&[(0, &[1]), (2, &[1])], &[]), Err(ForwardError::State(missing)));
    let after = runner.all(0, &[7, 8]);
    let mut untouched = Runner::<f32>::new(&checkpoint, 2, 4);
    untouched.all(0, &[5, 6]);
    assert_eq!(after, untouched.all(0, &[7, 8]));
}

#[test]
fn a_recurrence_has_no_token_limit() {
    let checkpoint = super::checkpoint("mamba2");
    let mut runner = Runner::<f32>::new(&checkpoint, 1, 1);
    assert_eq!(runner.all(0, &[1; 9]).len(), 9);
    assert_eq!(runner.with(|state, _| state.position(0)), Ok(9));
}

#[test]
fn a_recurrence_cannot_be_rewound() {
    for name in ["mamba2", "mamba2attn"] {
        let checkpoint = super::checkpoint(name);
        let mut runner = Runner::<f32>::new(&checkpoint, 1, 9);
        runner.all(0, &[1, 2, 3]);
        let rewind = runner.with(|state, _| state.truncate(0, 2));
        assert_eq!(rewind, Err(StateError::CannotRewind { slot: 0, position: 3, to: 2 }));
        assert_eq!(runner.with(|state, _| state.truncate(0, 3)), Ok(()));
    }
}

#[test]
fn a_state_has_only_its_own_slots() {
    let checkpoint = super::checkpoint("mamba2attn");
    let mut runner = Runner::<f32>::new(&checkpoint, 2, 4);
    let missing = ReferenceError::State(StateError::Slot { slot: 2, slots: 2 });
    assert_eq!(runner.with(|state, backend| state.reset(backend, 2)), Err(missing));
    assert_eq!(runner.with(|state, backend| state.copy(backend, 2, 0)), Err(missing));
    assert_eq!(runner.with(|state, backend| state.copy(backend, 0, 2)), Err(missing));
    assert!(runner.with(|state, _| state.position(2)).is_err());
}

#[test]
fn small_buffers_are_refused() {
    let checkpoint = super::checkpoint("transformerpp");
    let config = checkpoint.config();
    let layout = StateLayout::new(config, 2, 8).unwrap();
    let (recurrent, cache) = layout.elements();
    assert_eq!(recurrent, 0);
    let (mut recurrent, mut short) = (vec![0.0_f32; recurrent], vec![0.0_f32; cache - 1]);
    let mut positions = [0; 2];
    let state = State::new(layout, &mut recurrent[..], &mut short[..], &mut positions);
    assert!(matches!(state, Err(StateError::Capacity(error)) if error.needed == cache));
    let elements = scratch(config, 3);
    let mut arena = vec![0.0_f32; elements.total() - 1];
    assert!(Scratch::carve(&elements, &mut arena).is_err());
}

#[test]
fn inconsistent_batches_are_refused() {
    let new = |cu_seqlens: &[usize], slots: &[usize], logits_for: &[usize]| {
        Batch::new(&[1, 2, 3], cu_seqlens, slots, logits_for).map(|_| ())
    };
    assert_eq!(new(&[0, 2, 3], &[1, 0], &[0, 2]), Ok(()));
    assert_eq!(new(&[], &[], &[]), Err(BatchError::Sequences { boundaries: 0, slots: 0 }));
    assert_eq!(new(&[0, 3], &[1, 0], &[]), Err(BatchError::Sequences { boundaries: 2, slots: 2 }));
    assert_eq!(new(&[1, 3], &[0], &[]), Err(BatchError::Boundaries { index: 0 }));
    assert_eq!(new(&[0, 2, 2, 3], &[0, 1, 2], &[]), Err(BatchError::Boundaries { index: 2 }));
    assert_eq!(new(&[0, 2], &[0], &[]), Err(BatchError::Boundaries { index: 1 }));
    assert_eq!(new(&[0, 9], &[0], &[]), Err(BatchError::Boundaries { index: 1 }));
    assert_eq!(new(&[0, 2, 3], &[4, 4], &[]), Err(BatchError::RepeatedSlot { slot: 4 }));
    assert_eq!(new(&[0, 3], &[0], &[3]), Err(BatchError::LogitsFor { index: 0 }));
    assert_eq!(new(&[0, 3], &[0], &[1, 1]), Err(BatchError::LogitsFor { index: 1 }));
}

/// Changes a checkpoint's configuration and says what [`ModelConfig::check`] makes of it.
fn spoilt(name: &str, spoil: impl FnOnce(&mut ModelConfig)) -> Result<(), ConfigError> {
    let mut config = *super::checkpoint(name).config();
    spoil(&mut config);
    config.check()
}

#[test]
fn impossible_configurations_are_refused() {
    let spoilt = |spoil: fn(&mut ModelConfig)| spoilt("mamba2attn", spoil);
    assert_eq!(spoilt(|_| ()), Ok(()));
    assert!(spoilt(|c| c.width = 0).is_err());
    assert!(spoilt(|c| c.layers = 257).is_err());
    assert!(spoilt(|c| c.vocabulary = usize::MAX / 2).is_err());
    assert!(spoilt(|c| c.norm_epsilon = f64::NAN).is_err());
    assert!(spoilt(|c| c.embedding_scale = f64::INFINITY).is_err());
    assert!(spoilt(|c| c.logits_soft_cap = Some(0.0)).is_err());
    assert_eq!(spoilt(|c| c.recurrence = None), Err(ConfigError::NoMixer { layer: 0 }));
    assert_eq!(spoilt(|c| c.attention = None), Err(ConfigError::NoMixer { layer: 2 }));
    assert!(spoilt(|c| ssd(c).dims.groups = 4).is_err());
    assert!(spoilt(|c| ssd(c).conv_width = 0).is_err());
    assert!(spoilt(|c| c.attention.as_mut().unwrap().dims.rotary = 5).is_err());
    assert!(spoilt(|c| c.attention.as_mut().unwrap().dims.rotary = 26).is_err());
    assert!(spoilt(|c| c.attention.as_mut().unwrap().dims.kv_heads = 2).is_err());
}

fn ssd(config: &mut ModelConfig) -> &mut SsdConfig {
    match &mut config.recurrence {
        Some(Recurrence::Ssd(ssd)) => ssd,
        other => panic!("{other:?}"),
    }
}

#[test]
fn impossible_recurrences_are_refused() {
    let rg_lru = |spoil: fn(&mut RgLruConfig)| {
        spoilt("recurrentgemma", |config| match &mut config.recurrence {
            Some(Recurrence::RgLru(rg_lru)) => spoil(rg_lru),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(rg_lru(|_| ()), Ok(()));
    assert!(rg_lru(|c| c.dims.blocks = 0).is_err());
    assert!(rg_lru(|c| c.dims.blocks = 5).is_err());
    assert!(rg_lru(|c| c.conv_width = 0).is_err());
    assert!(rg_lru(|c| c.dims.channels = usize::MAX / 3 * 3).is_err());
    let wkv6 = |spoil: fn(&mut Wkv6Config)| {
        spoilt("rwkv6", |config| match &mut config.recurrence {
            Some(Recurrence::Wkv6(wkv6)) => spoil(wkv6),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(wkv6(|_| ()), Ok(()));
    assert!(wkv6(|c| c.dims.heads = 0).is_err());
    assert!(wkv6(|c| c.dims.head_dim = usize::MAX / 2).is_err());
    assert!(wkv6(|c| c.shift_rank = 0).is_err());
    assert!(wkv6(|c| c.decay_rank = usize::MAX / 2).is_err());
    assert!(wkv6(|c| c.norm_epsilon = -1.0).is_err());
    let hidden = |hidden| {
        spoilt("rwkv6", |config| {
            config.feed_forward = Some(FeedForward::ChannelMix(ChannelMixConfig { hidden }));
        })
    };
    assert_eq!(hidden(32), Ok(()));
    assert!(hidden(0).is_err());
    assert!(hidden(usize::MAX / 2).is_err());
}

#[test]
fn parts_of_another_family_are_not_bound() {
    let mut config = *super::checkpoint("rwkv6").config();
    for (family, error) in [
        (Family::RecurrentGemma, BindError::OtherParts { layer: 1 }),
        (Family::Llama, BindError::OtherParts { layer: 1 }),
        (Family::Mamba2, BindError::OtherParts { layer: 1 }),
    ] {
        config.family = family;
        assert_eq!(bind_layer(&config, &One("", [1, 1]), 1).map(|_| ()), Err(error));
    }
}

/// A source that has tensors of one shape under one name.
struct One(&'static str, [usize; 2]);

impl WeightSource<'static> for One {
    fn tensor(&self, name: &str) -> Option<Tensor<'static>> {
        static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
        let bytes = &ZEROS[..self.1[0] * self.1[1] * 2];
        (name == self.0).then(|| Tensor::new(Dtype::F16, &self.1, bytes).unwrap())
    }
}

#[test]
fn wrong_tensors_are_named() {
    let checkpoint = super::checkpoint("mamba2attn");
    let config = checkpoint.config();
    let missing = bind_layer(config, &One("", [1, 1]), 2).unwrap_err();
    assert!(matches!(missing, BindError::Missing { .. }));
    let text = missing.to_string();
    assert!(text.contains("backbone.layers.2.") && text.contains("missing"), "{text}");
    let misshapen = One("backbone.norm_f.weight", [48, 2]);
    let text = bind_ends(config, &misshapen).unwrap_err().to_string();
    let expected =
        "tensor backbone.norm_f.weight has shape [48, 2], but the configuration implies [48]";
    assert_eq!(text, expected);
}
