//! The five small models that are built into the program.

use std::{fs, path::Path};

use crate::{error::Result, files};

/// A model: files of a checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// The name of its folder.
    pub name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

macro_rules! own {
    ($($name:literal: $weights:literal;)*) => { [$(Own {
        name: $name,
        files: &[
            own!($name, "config.json"),
            own!($name, "longseq.json"),
            own!($name, "tokenizer.json"),
            own!($name, $weights),
        ],
    }),*] };
    ($name:literal, $file:literal) => {
        ($file, include_bytes!(concat!("../../models/mini/", $name, "/", $file)))
    };
}

/// All of them: what they are is in `models/README.md`.
pub const OWN: [Own; 5] = own! {
    "mamba2": "pytorch_model.bin";
    "mamba2attn": "pytorch_model.bin";
    "transformerpp": "pytorch_model.bin";
    "rwkv6": "model.safetensors";
    "recurrentgemma": "model.safetensors";
};

impl Own {
    /// Writes the checkpoint to `folder`; files that are there with the same content stay.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn unpack(&self, folder: &Path) -> Result<()> {
        for (name, content) in self.files {
            let path = folder.join(name);
            if !fs::read(&path).is_ok_and(|there| there == *content) {
                files::write_whole(&path, content)?;
            }
        }
        Ok(())
    }
}
