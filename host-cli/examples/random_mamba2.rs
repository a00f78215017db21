//! Makes the checkpoint in `models/random-mamba2`: random weights in the layout of a published
//! Mamba-2, and a byte-level BPE tokenizer trained on the built-in essays.
//!
//! `cargo run --release -p longseq --example random_mamba2 -- host-cli/models/random-mamba2`
//!
//! The same bytes come out on every machine: draws are CPython's Mersenne Twister, and nothing but
//! +, −, ×, ÷ and √ is done to them.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use longseq_core::ruler::rng::Random;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;
use tokenizers::{
    AddedToken, Tokenizer,
    models::{
        TrainerWrapper,
        bpe::{BPE, BpeTrainer},
    },
    normalizers::NFC,
    pre_tokenizers::byte_level::ByteLevel,
};

const SEED: u64 = 2;
/// Token ids; a multiple of `PAD`, so that no row of the embedding is without a token.
const VOCABULARY: usize = 1024;
const PAD: usize = 16;
const LAYERS: usize = 2;
/// K.
const CONV: usize = 4;

/// The sizes that differ between this checkpoint and those that tests make.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// d, the width; H · P is twice that.
    pub width: usize,
    /// P.
    pub head: usize,
    /// N.
    pub state: usize,
    /// The largest embedding: the smaller, the more the layers have to say.
    pub embedding: f64,
    /// The least and the largest ln(−A): the smaller, the longer the memory.
    pub a_log: [f64; 2],
}

/// Those of `models/random-mamba2`.
pub const COMMITTED: Sizes =
    Sizes { width: 32, head: 16, state: 16, embedding: 1.0, a_log: [0.0, 2.77] };

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name the folder to write to")?;
    write(Path::new(&folder), COMMITTED)
}

/// Writes `config.json`, `model.safetensors` and `tokenizer.json`.
pub fn write(folder: &Path, sizes: Sizes) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let config = json!({
        "d_model": sizes.width, "d_intermediate": 0, "n_layer": LAYERS, "vocab_size": VOCABULARY,
        "ssm_cfg": {"layer": "Mamba2", "d_state": sizes.state, "headdim": sizes.head},
        "attn_layer_idx": [], "attn_cfg": {}, "rms_norm": true, "residual_in_fp32": true,
        "fused_add_norm": true, "pad_vocab_size_multiple": PAD, "tie_embeddings": true,
    });
    fs::write(folder.join("config.json"), format!("{config:#}\n"))?;
    let weights = weights(sizes);
    let views = weights
        .iter()
        .map(|(name, (shape, bytes))| {
            Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    fs::write(folder.join("model.safetensors"), safetensors::serialize(views, None)?)?;
    let tokenizer = tokenizer().map_err(|source| source.to_string())?;
    fs::write(folder.join("tokenizer.json"), tokenizer + "\n")?;
    Ok(())
}

/// By name: shape and little-endian bytes.
type Weights = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

fn weights(Sizes { width, head, state, embedding, a_log }: Sizes) -> Weights {
    let mut random = Random::new(SEED);
    let mut weights = Weights::new();
    let mut uniform = |name: String, shape: &[usize], low: f64, high: f64| {
        let draw = |_| ((low + (high - low) * random.random()) as f32).to_le_bytes();
        let bytes = (0..shape.iter().product()).flat_map(draw).collect();
        weights.insert(name, (shape.to_vec(), bytes));
    };
    let inner = 2 * width;
    let (heads, xbc) = (inner / head, inner + 2 * state);
    let scale = |inputs: usize| 1.0 / (inputs as f64).sqrt();
    uniform("backbone.embedding.weight".to_owned(), &[VOCABULARY, width], -embedding, embedding);
    uniform("backbone.norm_f.weight".to_owned(), &[width], 1.0, 1.0);
    for layer in 0..LAYERS {
        let mut add = |name: &str, shape: &[usize], low, high| {
            uniform(format!("backbone.layers.{layer}.{name}"), shape, low, high);
        };
        add("norm.weight", &[width], 1.0, 1.0);
        let (w, projected) = (scale(width), inner + xbc + heads);
        add("mixer.in_proj.weight", &[projected, width], -w, w);
        let w = scale(CONV);
        add("mixer.conv1d.weight", &[xbc, 1, CONV], -w, w);
        add("mixer.conv1d.bias", &[xbc], -w, w);
        // Δ from 0.001 to 0.1 and, where committed, A from -1 to -16, as Mamba-2 begins its training.
        add("mixer.dt_bias", &[heads], -6.9, -2.25);
        add("mixer.A_log", &[heads], a_log[0], a_log[1]);
        add("mixer.D", &[heads], 1.0, 1.0);
        add("mixer.norm.weight", &[inner], 1.0, 1.0);
        let w = scale(inner);
        add("mixer.out_proj.weight", &[width, inner], -w, w);
    }
    weights
}

/// In the manner of GPT-NeoX's, which the published Mamba-2 uses.
fn tokenizer() -> tokenizers::Result<String> {
    let byte_level = ByteLevel::new(false, true, true);
    let mut tokenizer = Tokenizer::new(BPE::default());
    tokenizer
        .with_normalizer(Some(NFC))?
        .with_pre_tokenizer(Some(byte_level))
        .with_decoder(Some(byte_level));
    let mut trainer: TrainerWrapper = BpeTrainer::builder()
        .vocab_size(VOCABULARY)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from("<|endoftext|>", true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build()
        .into();
    let essays = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/essays");
    let mut files = fs::read_dir(essays)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    let texts = files.iter().map(fs::read_to_string).collect::<std::io::Result<Vec<_>>>()?;
    tokenizer.train(&mut trainer, texts.iter().flat_map(|text| text.lines()))?;
    tokenizer.to_string(false)
}
