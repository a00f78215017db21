//! Whether a checkpoint's tensors are those of its configuration: none missing, mis-shaped, of an
//! unknown dtype or left over.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use longseq_core::{
    hybrid::{
        bind::{BindError, WeightSource, bind_ends, bind_layer},
        config::ModelConfig,
    },
    numeric::tensor::Tensor,
};

use super::Store;
use crate::error::{Error, Result};

/// Ends of names that published files may have beside the weights: constants, recomputed here.
const HARMLESS: [&str; 1] = [".rotary_emb.inv_freq"];

/// A source that remembers what was asked for.
struct Recorder<'a> {
    store: &'a Store,
    asked: RefCell<BTreeSet<String>>,
    /// The first tensor that is there but cannot be used, and why.
    unusable: RefCell<Option<String>>,
}

impl<'a> WeightSource<'a> for Recorder<'a> {
    fn tensor(&self, name: &str) -> Option<Tensor<'a>> {
        self.asked.borrow_mut().insert(name.to_owned());
        match self.store.get(name)? {
            Ok(tensor) => Some(tensor),
            Err(what) => {
                let what = format!("tensor {name} has {what}");
                self.unusable.borrow_mut().get_or_insert(what);
                None
            }
        }
    }
}

/// Asks for every tensor of the model once; returns the parameters by dtype.
pub fn survey(folder: &Path, config: &ModelConfig, store: &Store) -> Result<BTreeMap<String, u64>> {
    let recorder = Recorder { store, asked: RefCell::default(), unusable: RefCell::default() };
    let bound = bind_all(config, &recorder);
    if let Some(what) = recorder.unusable.into_inner() {
        return Err(error(folder, &what));
    }
    bound.map_err(|source| error(folder, &source.to_string()))?;
    let asked = recorder.asked.into_inner();
    let harmless = |name: &str| HARMLESS.iter().any(|end| name.ends_with(end));
    let left_over =
        store.tensors.iter().find(|(name, _)| !asked.contains(*name) && !harmless(name));
    if let Some((name, (_, stored))) = left_over {
        let shape = &stored.shape;
        let what = format!("tensor {name}, of shape {shape:?}, is not part of the model");
        return Err(error(folder, &what));
    }
    let mut parameters = BTreeMap::new();
    let counted = asked.iter().filter(|name| !(config.tied_head && *name == "lm_head.weight"));
    for tensor in counted.filter_map(|name| store.get(name)?.ok()) {
        *parameters.entry(tensor.dtype().to_string()).or_default() += tensor.elements() as u64;
    }
    Ok(parameters)
}

fn bind_all<'a>(
    config: &ModelConfig,
    source: &impl WeightSource<'a>,
) -> std::result::Result<(), Box<BindError>> {
    bind_ends(config, source)?;
    (0..config.layers).try_for_each(|layer| {
        bind_layer(config, source, layer)?;
        Ok(())
    })
}

/// The error for tensors that do not fit the configuration.
pub fn error(folder: &Path, what: &str) -> Error {
    Error::new(format!("{}: {what}", folder.display()))
        .help("config.json and weights do not belong together, or the model is of another family")
}
