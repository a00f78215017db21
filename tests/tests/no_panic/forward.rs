//! Configurations, states, batches and whole models.

use longseq_core::hybrid::bind::{WeightSource, bind_ends, bind_layer};
use longseq_core::hybrid::config::{
    AttentionConfig, ChannelMixConfig, Family, FeedForward, GatedMlpConfig, LayerSet, ModelConfig,
    Recurrence, RgLruConfig, SsdConfig, Wkv6Config,
};
use longseq_core::hybrid::forward;
use longseq_core::hybrid::weights::Model;
use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::recurrence::rg_lru::RgLruDims;
use longseq_core::recurrence::ssd::SsdDims;
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_core::reference::{Reference, work_elements};
use longseq_core::scratch::{Scratch, StaticScratch, scratch, static_scratch};
use longseq_core::state::{State, StateLayout, StaticState, static_state};
use proptest::collection::vec;
use proptest::prelude::*;

use super::choices::{Choices, reached};
use super::sequences::attention_dims;

fn recurrence(of: &mut Choices<'_>, family: Family) -> Option<Recurrence> {
    let groups = of.extent();
    Some(match family {
        Family::Mamba2 | Family::Mamba2Attention => {
            let heads = of.near(groups.saturating_mul(2));
            let dims = SsdDims { heads, head_dim: of.extent(), state: of.extent(), groups };
            let (conv_bias, projection_bias) = (of.below(2) == 0, of.below(2) == 0);
            Recurrence::Ssd(SsdConfig { dims, conv_width: of.extent(), conv_bias, projection_bias })
        }
        Family::RecurrentGemma => {
            let dims = RgLruDims { channels: of.near(groups.saturating_mul(2)), blocks: groups };
            Recurrence::RgLru(RgLruConfig { dims, conv_width: of.extent() })
        }
        Family::Rwkv6 => Recurrence::Wkv6(Wkv6Config {
            dims: Wkv6Dims { heads: of.extent(), head_dim: of.extent() },
            shift_rank: of.extent(),
            decay_rank: of.extent(),
            norm_epsilon: of.number().abs().into(),
        }),
        Family::TransformerPlusPlus | Family::Llama => return None,
    })
}

fn config(of: &mut Choices<'_>) -> ModelConfig {
    let family = Family::ALL[of.below(6)];
    let (layers, width) = (of.extent(), of.near(4));
    let mut attention_layers = LayerSet::EMPTY;
    for layer in 0..layers.min(5) {
        let attends = match family {
            Family::Mamba2 | Family::Rwkv6 => false,
            Family::TransformerPlusPlus | Family::Llama => true,
            Family::Mamba2Attention | Family::RecurrentGemma => of.below(2) == 0,
        };
        if attends {
            assert!(attention_layers.insert(layer));
        }
    }
    let mlp = GatedMlpConfig { hidden: of.extent(), activation: Activation::Silu, bias: false };
    ModelConfig {
        family,
        width,
        layers,
        vocabulary: of.extent(),
        embedding_scale: of.number().abs().into(),
        tied_head: of.below(2) == 0,
        logits_soft_cap: (of.below(4) == 0).then(|| of.number().into()),
        norm_epsilon: of.number().abs().into(),
        attention_layers,
        recurrence: recurrence(of, family),
        attention: Some(AttentionConfig {
            dims: attention_dims(of),
            conv_width: of.below(3),
            qkv_bias: of.below(2) == 0,
            out_bias: of.below(2) == 0,
            prompt_leaves_conv_outputs: of.below(2) == 0,
        }),
        feed_forward: match family {
            Family::Mamba2 | Family::Mamba2Attention => None,
            Family::Rwkv6 => Some(FeedForward::ChannelMix(ChannelMixConfig { hidden: mlp.hidden })),
            _ => Some(FeedForward::Gated(mlp)),
        },
    }
}

/// Whatever is asked for is there, in the shape that is expected; once in a while it is not.
struct Anything {
    bytes: Vec<u8>,
    /// The tensor of that number is missing.
    missing: usize,
    asked: std::cell::Cell<usize>,
    shapes: std::cell::RefCell<Vec<(String, Vec<usize>)>>,
}

impl<'a> WeightSource<'a> for &'a Anything {
    fn tensor(&self, name: &str) -> Option<Tensor<'a>> {
        self.asked.set(self.asked.get() + 1);
        let shapes = self.shapes.borrow();
        let shape = &shapes.iter().find(|(of, _)| of == name)?.1;
        let elements = shape.iter().try_fold(1_usize, |all, &of| all.checked_mul(of))?;
        let bytes = self.bytes.get(..elements.checked_mul(2)?)?;
        (self.asked.get() != self.missing).then(|| Tensor::new(Dtype::Bf16, shape, bytes).ok())?
    }
}

impl Anything {
    /// Learns the shapes from the errors, until nothing is missing.
    fn learn(&self, config: &ModelConfig) -> Option<()> {
        use longseq_core::hybrid::bind::BindError;
        for _ in 0..400 {
            let bound = bind_ends(config, &self).err();
            let bound = bound.or_else(|| {
                (0..config.layers).find_map(|layer| bind_layer(config, &self, layer).err())
            });
            match bound? {
                BindError::Missing { name, expected } => {
                    let known = self.shapes.borrow().iter().any(|(of, _)| *of == *name);
                    if known {
                        return None;
                    }
                    self.shapes.borrow_mut().push((name.to_string(), expected.to_vec()));
                }
                BindError::Shape { .. } | BindError::OtherParts { .. } => return None,
            }
        }
        None
    }
}

/// Whether a forward pass came to its end.
fn model(of: &mut Choices<'_>) -> bool {
    let config = config(of);
    let (slots, capacity) = (of.near(2), of.near(12));
    let _ = (config.check(), config.reads_prompts_whole(), config.mixer(of.near(3)));
    let _ = (static_state(&config, slots, capacity), static_scratch(&config, 3, capacity));
    let Ok(layout) = StateLayout::new(&config, slots, capacity) else { return false };
    let _ = (layout.layer(of.near(1)).recurrence.slot(of.near(1)), layout.limit());
    let mut fixed = StaticState::<1000, 2>::new();
    let _ = fixed.state(layout).map(|state| state.position(of.near(1)));
    let mut fixed = StaticScratch::<1000>::new();
    let _ = fixed.buffers(&config, of.near(4), capacity).map(|buffers| buffers.work.len());

    let (recurrent, cache) = layout.elements();
    let (mut recurrent, mut cache) = (of.numbers(recurrent), of.numbers(cache));
    let mut positions = vec![0; of.near(slots).min(4)];
    let mut work = of.numbers(work_elements(&config, capacity));
    let mut backend = Reference::new(&mut work);
    let state = State::new(layout, &mut recurrent[..], &mut cache[..], &mut positions);
    let Ok(mut state) = state else { return false };
    let _ = state.reset(&mut backend, of.near(0));
    let source = Anything {
        bytes: vec![of.byte() & 0x3F; 4096],
        missing: of.near(0),
        asked: Default::default(),
        shapes: Default::default(),
    };
    source.learn(&config);
    let Ok(ends) = bind_ends(&config, &&source) else { return false };
    let layers = (0..config.layers).map(|layer| bind_layer(&config, &&source, layer).ok());
    let Some(layers) = layers.collect::<Option<Vec<_>>>() else { return false };
    let layers = &layers[..of.near(layers.len()).min(layers.len())];
    let model = Model { config: &config, ends: &ends, layers };
    let mut computed = false;
    for _ in 0..3 {
        let lists = of.lists();
        let Some(batch) = lists.batch() else { continue };
        let rows = of.near(batch.tokens().len());
        let elements = scratch(&config, rows);
        let mut arena = of.numbers(elements.total());
        let Ok(mut scratch) = Scratch::carve(&elements, &mut arena) else { continue };
        let logits = batch.logits_for().len().saturating_mul(config.vocabulary);
        let mut logits = of.numbers(logits);
        computed |=
            forward(&mut backend, &model, &batch, &mut state, &mut scratch, &mut logits).is_ok();
        let _ = state.copy(&mut backend, of.near(0), of.near(1));
        let _ = state.truncate(of.near(0), of.near(1));
    }
    computed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn models_compute_or_refuse(bytes in vec(any::<u8>(), 0..400)) {
        model(&mut Choices::new(&bytes));
    }
}

#[test]
fn models_are_reached() {
    let computed = reached(model);
    assert!(computed > 20, "{computed} models computed");
}
