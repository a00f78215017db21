//! Which files hold a checkpoint's weights: one, or the shards that an index lists.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::mapped;
use crate::error::{Error, Result};

/// A longer index is none.
const LARGEST: u64 = 64 << 20;

/// The layouts that are looked for, in this order: transformers prefers safetensors, too.
const LAYOUTS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// The weight files of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightFiles {
    /// Their names, in order.
    pub files: Vec<String>,
    /// The index and, by tensor, the file that it names; absent where there is one file only.
    pub index: Option<Index>,
}

/// An index file: `{"weight_map": {tensor: file}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its path.
    pub path: PathBuf,
    /// The file that holds each tensor.
    pub weight_map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct IndexFile {
    weight_map: BTreeMap<String, String>,
}

impl WeightFiles {
    /// Looks into `folder`.
    pub fn find(folder: &Path) -> Result<Self> {
        for layout in LAYOUTS {
            if folder.join(layout).exists() {
                return Ok(Self { files: vec![layout.to_owned()], index: None });
            }
            let path = folder.join(format!("{layout}.index.json"));
            if path.exists() {
                let index = Index::read(path)?;
                let files: BTreeSet<_> = index.weight_map.values().cloned().collect();
                return Ok(Self { files: files.into_iter().collect(), index: Some(index) });
            }
        }
        Err(Error::new(format!("{} holds no weights", folder.display())).help(format!(
            "a checkpoint's folder holds {}, or shards with an index beside them",
            LAYOUTS.join(" or ")
        )))
    }
}

impl Index {
    fn read(path: PathBuf) -> Result<Self> {
        let bytes = mapped::read_small(&path, LARGEST)?;
        let IndexFile { weight_map } = serde_json::from_slice(&bytes).map_err(|source| {
            Error::new(format!("{} is no index of shards: {source}", path.display()))
                .help("download it again")
        })?;
        let elsewhere =
            weight_map.values().find(|file| Path::new(file).file_name() != Some(file.as_ref()));
        match elsewhere {
            Some(file) => Err(Error::new(format!(
                "{} names {file:?}, which is no file beside it",
                path.display()
            ))
            .help("an index names files of its own folder")),
            None if weight_map.is_empty() => {
                Err(Error::new(format!("{} names no tensor", path.display()))
                    .help("download it again"))
            }
            None => Ok(Self { path, weight_map }),
        }
    }
}
