//! A one-layer Mamba-2 with constant weights: three tokens at once and one by one.

use longseq_core::{
    batch::Batch,
    hybrid::{
        bind::{WeightSource, bind_ends, bind_layer},
        config::{Family, LayerSet, ModelConfig, Recurrence, SsdConfig},
        forward,
        weights::{Ends, Layer, Model},
    },
    numeric::tensor::{Dtype, Tensor},
    recurrence::ssd::SsdDims,
    reference::Reference,
    scratch::{Scratch, scratch},
    state::{State, StateLayout},
};

const CONFIG: ModelConfig = ModelConfig {
    family: Family::Mamba2,
    width: 2,
    layers: 1,
    vocabulary: 4,
    embedding_scale: 1.0,
    tied_head: true,
    logits_soft_cap: None,
    norm_epsilon: 1e-5,
    attention_layers: LayerSet::EMPTY,
    recurrence: Some(Recurrence::Ssd(SsdConfig {
        dims: SsdDims { heads: 1, head_dim: 4, state: 2, groups: 1 },
        conv_width: 4,
        conv_bias: true,
        projection_bias: false,
    })),
    attention: None,
    feed_forward: None,
};

/// Every tensor is cut from the same bytes: bf16 0.5 and 0.25, over and over.
struct Flash;

const BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut at = 0;
    while at < 256 {
        bytes[at + 1] = 0x3f;
        bytes[at + 2] = 0x80;
        bytes[at + 3] = 0x3e;
        at += 4;
    }
    bytes
};

impl WeightSource<'static> for Flash {
    fn tensor(&self, name: &str) -> Option<Tensor<'static>> {
        let shape: &[usize] = match name.rsplit_once("mixer.").map_or(name, |(_, name)| name) {
            "backbone.embedding.weight" => &[4, 2],
            "in_proj.weight" => &[13, 2],
            "conv1d.weight" => &[8, 1, 4],
            "conv1d.bias" => &[8],
            "dt_bias" | "A_log" | "D" => &[1],
            "norm.weight" => &[4],
            "out_proj.weight" => &[2, 4],
            "backbone.layers.0.norm.weight" | "backbone.norm_f.weight" => &[2],
            _ => return None,
        };
        let bytes = 2 * shape.iter().product::<usize>();
        Tensor::new(Dtype::Bf16, shape, BYTES.get(..bytes)?).ok()
    }
}

/// Whether both ways give the same finite logits, bit for bit.
pub fn splits_agree() -> bool {
    let (Ok(ends), Ok(layer)) = (bind_ends(&CONFIG, &Flash), bind_layer(&CONFIG, &Flash, 0)) else {
        return false;
    };
    let tokens = [3, 0, 2];
    let whole = last_logits(&ends, &layer, &[&tokens]);
    let split = last_logits(&ends, &layer, &[&tokens[..1], &tokens[1..2], &tokens[2..]]);
    whole.is_some_and(|logits| logits.iter().all(|logit| logit.is_finite())) && whole == split
}

/// Logits after the last of `pieces`, read one after another.
fn last_logits(
    ends: &Ends<Tensor<'_>>,
    layer: &Layer<Tensor<'_>>,
    pieces: &[&[u32]],
) -> Option<[f32; 4]> {
    let (mut slab, mut positions, mut work) = ([0.0; 64], [0], [0.0; 64]);
    let (mut arena, mut logits) = ([0.0; 256], [0.0; 4]);
    let layout = StateLayout::new(&CONFIG, 1, 3).ok()?;
    let mut state = State::new(layout, &mut slab[..], &mut [][..], &mut positions).ok()?;
    let mut backend = Reference::new(&mut work);
    state.reset(&mut backend, 0).ok()?;
    let model = Model { config: &CONFIG, ends, layers: core::slice::from_ref(layer) };
    for piece in pieces {
        let (cu_seqlens, last) = ([0, piece.len()], [piece.len() - 1]);
        let batch = Batch::new(piece, &cu_seqlens, &[0], &last).ok()?;
        let mut scratch = Scratch::carve(&scratch(&CONFIG, piece.len()), &mut arena).ok()?;
        forward(&mut backend, &model, &batch, &mut state, &mut scratch, &mut logits[..]).ok()?;
    }
    Some(logits)
}
