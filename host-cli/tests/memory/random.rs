//! Random checkpoints of any family and size.

use std::{collections::BTreeMap, fs, path::Path};

use longseq::checkpoint::config::Config;
use longseq_core::{
    hybrid::{
        bind::{BindError, WeightSource, bind_ends, bind_layer},
        config::ModelConfig,
    },
    numeric::tensor::{Dtype, Tensor},
};
use safetensors::tensor::TensorView;
use serde_json::Value;

/// Tensors known by name and shape; their elements are zeros.
#[derive(Default)]
struct Known {
    shapes: BTreeMap<String, Vec<usize>>,
    zeros: Vec<u8>,
}

impl<'k> WeightSource<'k> for &'k Known {
    fn tensor(&self, name: &str) -> Option<Tensor<'k>> {
        let shape = self.shapes.get(name)?;
        let bytes = 2 * shape.iter().product::<usize>();
        Some(Tensor::new(Dtype::Bf16, shape, &self.zeros[..bytes]).unwrap())
    }
}

/// The tensors of a model: those that binding it asks for.
fn shapes(config: &ModelConfig) -> BTreeMap<String, Vec<usize>> {
    let mut known = Known::default();
    let missing = |known: &Known| -> Option<BindError> {
        bind_ends(config, &known).err().or_else(|| {
            (0..config.layers).find_map(|layer| bind_layer(config, &known, layer).err())
        })
    };
    while let Some(error) = missing(&known) {
        let BindError::Missing { name, expected } = error else { panic!("{error}") };
        let bytes = 2 * expected.iter().product::<usize>();
        known.zeros.resize(known.zeros.len().max(bytes), 0);
        known.shapes.insert(name.to_string(), expected.to_vec());
    }
    known.shapes
}

/// Writes `config.json` and weights between −1/16 and 1/16 that are exact in bf16.
pub fn write(folder: &Path, config: &Value, dtype: Dtype) {
    let json = config.to_string();
    let shapes = shapes(&Config::parse(json.as_bytes(), &|_| None).unwrap().model);
    let elements = |shape: &Vec<usize>| shape.iter().product::<usize>();
    let most = shapes.values().map(elements).max().unwrap();
    let mut state = 1_u64;
    let mut bf16 = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let x = (state >> 40) as f32 / (1 << 24) as f32;
        ((x - 0.5) / 8.0).to_bits() & 0xffff_0000
    };
    // The same for every tensor: only their size matters here.
    let bytes: Vec<u8> = match dtype {
        Dtype::F32 => (0..most).flat_map(|_| bf16().to_le_bytes()).collect(),
        _ => (0..most).flat_map(|_| ((bf16() >> 16) as u16).to_le_bytes()).collect(),
    };
    let stored = match dtype {
        Dtype::F32 => safetensors::Dtype::F32,
        _ => safetensors::Dtype::BF16,
    };
    let views = shapes.iter().map(|(name, shape)| {
        let bytes = &bytes[..elements(shape) * dtype.bytes()];
        (name, TensorView::new(stored, shape.clone(), bytes).unwrap())
    });
    fs::write(folder.join("config.json"), json).unwrap();
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
}
