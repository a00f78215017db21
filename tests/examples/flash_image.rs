//! Writes a checkpoint as a flash image of `longseq-embedded`: its weights as they are stored, in one file, and the
//! rest (sizes, places of tensors, tokenizer, words of keys) as Rust source that includes it.
//!
//! `cargo run --release -p longseq-tests --example flash_image -- host-cli/models/mini/mamba2 target/image/mamba2`

use std::{error::Error, fmt::Write as _, fs, path::Path};

use longseq_core::hybrid::config::ModelConfig;
use longseq_embedded::image::{Entry, Image};
use longseq_tests::flash;

/// Of the generated source: `Debug` writes structures as Rust does, and variants without their enum's name.
const NAMES: &str = "\
use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::hybrid::config::{Family::*, FeedForward::*, Recurrence::*, *};
use longseq_core::numeric::{activation::Activation::*, tensor::Dtype::*};
use longseq_core::recurrence::{rg_lru::RgLruDims, ssd::SsdDims, wkv6::Wkv6Dims};
use longseq_embedded::image::{Entry, Image};
";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [checkpoint, folder] = &arguments[..] else {
        return Err("usage: flash_image CHECKPOINT FOLDER".into());
    };
    let (image, folder) = (flash::image(Path::new(checkpoint))?, Path::new(folder));
    fs::create_dir_all(folder)?;
    fs::write(folder.join("weights.bin"), image.weights)?;
    fs::write(folder.join("image.rs"), source(&image)?)?;
    Ok(())
}

fn source(image: &Image<'_>) -> Result<String, std::fmt::Error> {
    let mut source = NAMES.to_owned();
    write_config(&mut source, &image.config)?;
    let Image { end_of_text, bos, pieces, merges, adjectives, nouns, .. } = image;
    let slices = |of: Vec<String>| format!("&[{}]", of.join(", "));
    let tensor = |Entry { name, dtype, shape, offset }: &Entry<'_>| {
        format!("Entry {{ name: {name:?}, dtype: {dtype:?}, shape: &{shape:?}, offset: {offset} }}")
    };
    let tensors = slices(image.tensors.iter().map(tensor).collect());
    let pieces = slices(pieces.iter().map(|piece| format!("&{piece:?}")).collect());
    write!(
        source,
        "/// The checkpoint.
pub static IMAGE: Image<'static> = Image {{
    config: CONFIG,
    weights: include_bytes!(\"weights.bin\"),
    tensors: {tensors},
    end_of_text: &{end_of_text:?},
    bos: {bos:?},
    pieces: {pieces},
    merges: &{merges:?},
    adjectives: &{adjectives:?},
    nouns: &{nouns:?},
}};
"
    )?;
    Ok(source)
}

fn write_config(source: &mut String, config: &ModelConfig) -> std::fmt::Result {
    let layers: Vec<usize> =
        (0..config.layers).filter(|&layer| config.attention_layers.contains(layer)).collect();
    let set = format!("{:?}", config.attention_layers);
    let config = format!("{config:?}").replace(&set, "ATTENTION");
    write!(
        source,
        "const ATTENTION: LayerSet = {{
    let (mut set, layers): (_, &[usize]) = (LayerSet::EMPTY, &{layers:?});
    let mut next = 0;
    while next < layers.len() {{
        assert!(set.insert(layers[next]));
        next += 1;
    }}
    set
}};
/// Every size of the model.
pub const CONFIG: ModelConfig = {config};
"
    )
}
