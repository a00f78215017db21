//! The `tokenizer_config.json` beside a tokenizer.

use std::{io::ErrorKind, path::Path};

use serde_json::Value;

use crate::{
    error::{Error, Result},
    files,
};

/// Its name.
pub const FILE: &str = "tokenizer_config.json";

/// The content of the one in a folder, null where there is none.
pub fn read(folder: &Path) -> Result<Value> {
    let path = folder.join(FILE);
    match files::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|source| Error::new(format!("{} is no JSON: {source}", path.display()))),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(Value::Null),
        Err(source) => Err(Error::io("read", &path, &source)),
    }
}

/// The text of a special token, such as `bos_token`: a string, or the `content` of an object.
pub fn token<'a>(config: &'a Value, name: &str) -> Option<&'a str> {
    let entry = &config[name];
    entry.as_str().or(entry["content"].as_str())
}
