//! A checkpoint folder: `config.json` and weights in any of the published layouts, memory-mapped.
//!
//! Nothing is copied: a [`Tensor`] borrows the bytes of the mapped file (strided views of a torch
//! file excepted). [`Checkpoint::open`] has checked that every tensor of the model is there, in a
//! dtype that can be computed with and in the shape that the configuration implies, and that
//! nothing else is.

pub mod config;
mod digest;
pub mod index;
mod mapped;
pub mod pickle;
pub mod safetensors;
pub mod stored;
mod survey;
pub mod torch_zip;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use longseq_core::{
    hybrid::{
        bind::{self, WeightSource},
        config::ModelConfig,
        weights::{Ends, Layer, Model},
    },
    numeric::tensor::{Dtype, Tensor},
};

use self::{
    config::Config,
    index::{Index, WeightFiles},
    mapped::Mapped,
    stored::{Elements, Stored},
};
use crate::{
    error::{Error, Result},
    quirks::{self, Quirk},
};

/// An opened checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    folder: PathBuf,
    config: Config,
    store: Store,
    parameters: BTreeMap<String, u64>,
}

/// The weights of a model, borrowed from its checkpoint.
#[derive(Clone, Debug)]
pub struct Weights<'a> {
    /// Its sizes.
    pub config: &'a ModelConfig,
    /// Embedding, final norm and head.
    pub ends: Ends<Tensor<'a>>,
    /// One entry a layer, in order.
    pub layers: Vec<Layer<Tensor<'a>>>,
}

impl<'a> Weights<'a> {
    /// The model, for a forward pass.
    pub fn model(&self) -> Model<'_, Tensor<'a>> {
        Model { config: self.config, ends: &self.ends, layers: &self.layers }
    }
}

impl Checkpoint {
    /// Opens the checkpoint in `folder`, checking everything but the numbers.
    pub fn open(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::new(format!("{} is no folder", folder.display()))
                .help("--model names the folder of a checkpoint: config.json and its weights"));
        }
        // Of a family that cannot be run, the weights need not be looked at.
        Config::read(folder, &|_| None)?;
        let store = Store::open(folder)?;
        let config = Config::read(folder, &|name| Some(store.tensors.get(name)?.1.shape.clone()))?;
        let parameters = survey::survey(folder, &config.model, &store)?;
        Ok(Self { folder: folder.to_path_buf(), config, store, parameters })
    }

    /// Makes the model reproduce faults of libraries.
    ///
    /// # Errors
    /// A fault that this model cannot have.
    pub fn reproduce(&mut self, quirks: &[Quirk]) -> Result<()> {
        self.config.model = quirks::reproduce(quirks, &self.config.model)?;
        Ok(())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every size of the model.
    pub fn config(&self) -> &ModelConfig {
        &self.config.model
    }

    /// Token ids that end a text; empty for mamba_ssm's container, which names none.
    pub fn end_of_text(&self) -> &[u32] {
        &self.config.end_of_text
    }

    /// Parameters by storage dtype; a tied head is not counted twice.
    pub fn parameters_by_dtype(&self) -> &BTreeMap<String, u64> {
        &self.parameters
    }

    /// Parameters; a tied head is not counted twice.
    pub fn parameters(&self) -> u64 {
        self.parameters.values().sum()
    }

    /// Bytes of the weight files.
    pub fn bytes(&self) -> u64 {
        self.store.files.iter().map(|file| file.bytes().len() as u64).sum()
    }

    /// Hands `see` embedding, final norm and head. What it reads of them is in memory only until it returns.
    pub fn ends<T>(&self, see: impl FnOnce(&Ends<Tensor<'_>>) -> Result<T>) -> Result<T> {
        let store = self.store.again()?;
        let ends = bind::bind_ends(&self.config.model, &&store);
        see(&ends.map_err(|source| survey::error(&self.folder, &source.to_string()))?)
    }

    /// Hands `see` a layer. What it reads of it is in memory only until it returns.
    pub fn layer<T>(
        &self,
        layer: usize,
        see: impl FnOnce(&Layer<Tensor<'_>>) -> Result<T>,
    ) -> Result<T> {
        let store = self.store.again()?;
        let layer = bind::bind_layer(&self.config.model, &&store, layer);
        see(&layer.map_err(|source| survey::error(&self.folder, &source.to_string()))?)
    }

    /// The model's weights, which stay in memory once they are read.
    pub fn weights(&self) -> Result<Weights<'_>> {
        let config = &self.config.model;
        let fail = |source: bind::BindError| survey::error(&self.folder, &source.to_string());
        Ok(Weights {
            config,
            ends: bind::bind_ends(config, &&self.store).map_err(fail)?,
            layers: (0..config.layers)
                .map(|layer| bind::bind_layer(config, &&self.store, layer).map_err(fail))
                .collect::<Result<_>>()?,
        })
    }

    /// Every tensor of the model's files, sorted by name.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, Tensor<'_>)> {
        self.store.tensors.keys().filter_map(|name| Some((&**name, self.store.get(name)?.ok()?)))
    }

    /// SHA-256 of what `sha256sum` would print for `config.json`, the index and the weight files,
    /// in order of their names. Large files take time: a bar on stderr says how far it is.
    pub fn sha256(&self) -> Result<String> {
        digest::sha256(&self.folder, &self.store.files, self.store.index.as_ref())
    }
}

/// The mapped files and what is where in them.
#[derive(Debug)]
struct Store {
    files: Vec<Mapped>,
    index: Option<PathBuf>,
    /// By name: the file's number and the tensor.
    tensors: Arc<BTreeMap<String, (usize, Stored)>>,
}

impl Store {
    fn open(folder: &Path) -> Result<Self> {
        let WeightFiles { files: names, index } = WeightFiles::find(folder)?;
        let (mut files, mut all) = (Vec::new(), BTreeMap::new());
        for name in names {
            let file = Mapped::open(&folder.join(&name)).map_err(|error| match &index {
                Some(index) => error.help(format!("{} asks for it", index.path.display())),
                None => error,
            })?;
            let elsewhere = |tensor: &str| {
                let named = index.as_ref().and_then(|index| index.weight_map.get(tensor));
                named.is_some_and(|file| *file != name)
            };
            let found = tensors(&file)?.into_iter().filter(|(tensor, _)| !elsewhere(tensor));
            let number = files.len();
            all.extend(found.map(|(tensor, stored)| (tensor, (number, stored))));
            // What was looked at need not stay in memory.
            files.push(file.again()?);
        }
        let mut store = Self { files, index: None, tensors: Arc::new(all) };
        if let Some(index) = index {
            store.check(&index)?;
            store.index = Some(index.path);
        }
        Ok(store)
    }

    /// The same over new maps of the files.
    fn again(&self) -> Result<Self> {
        Ok(Self {
            files: self.files.iter().map(Mapped::again).collect::<Result<_>>()?,
            index: self.index.clone(),
            tensors: self.tensors.clone(),
        })
    }

    fn check(&self, index: &Index) -> Result<()> {
        match index.weight_map.iter().find(|(tensor, _)| !self.tensors.contains_key(*tensor)) {
            None => Ok(()),
            Some((tensor, file)) => Err(Error::new(format!(
                "{}: tensor {tensor} should be in {file}, but is not",
                index.path.display()
            ))
            .help("index and shards do not belong together; download them again")),
        }
    }

    /// The tensor, or the name of a dtype that cannot be computed with.
    fn get(&self, name: &str) -> Option<std::result::Result<Tensor<'_>, String>> {
        let (file, stored) = self.tensors.get(name)?;
        let data = match &stored.elements {
            Elements::Mapped(range) => self.files.get(*file)?.bytes().get(range.clone())?,
            Elements::Owned(bytes) => bytes,
        };
        Some(match stored.dtype {
            Ok(dtype) => {
                Tensor::new(dtype, &stored.shape, data).map_err(|source| source.to_string())
            }
            Err(dtype) => Err(format!(
                "dtype {dtype}, expected {}, {} or {}",
                Dtype::F32,
                Dtype::Bf16,
                Dtype::F16
            )),
        })
    }
}

impl<'a> WeightSource<'a> for &'a Store {
    fn tensor(&self, name: &str) -> Option<Tensor<'a>> {
        self.get(name)?.ok()
    }
}

fn tensors(file: &Mapped) -> Result<Vec<(String, Stored)>> {
    let (path, bytes) = (file.path(), file.bytes());
    match path.extension() {
        Some(extension) if extension == "safetensors" => safetensors::tensors(path, bytes),
        _ => torch_zip::tensors(path, bytes),
    }
}
