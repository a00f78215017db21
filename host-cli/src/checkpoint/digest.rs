//! SHA-256 of a checkpoint's files.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};

use super::mapped::Mapped;
use crate::{
    digest::{hex, sha256_hex},
    error::Result,
};

/// Below this, no bar is worth drawing.
const LARGE: u64 = 256 << 20;

/// SHA-256 of the lines `<SHA-256>  <name>` of `config.json`, the index and the weight files,
/// sorted by name.
pub fn sha256(folder: &Path, weights: &[Mapped], index: Option<&PathBuf>) -> Result<String> {
    let config = Mapped::open(&folder.join("config.json"))?;
    let index = index.map(|path| Mapped::open(path)).transpose()?;
    let mut files: Vec<&Mapped> = weights.iter().chain([&config]).chain(index.as_ref()).collect();
    files.sort_by_key(|file| file.path().file_name());
    let bar = bar(files.iter().map(|file| file.bytes().len() as u64).sum());
    let lines = files.iter().map(|file| {
        let mut hash = Sha256::new();
        file.read(|piece| {
            hash.update(piece);
            bar.inc(piece.len() as u64);
        })?;
        let name = file.path().file_name().unwrap_or_default().to_string_lossy();
        Ok(format!("{}  {name}\n", hex(&hash.finalize())))
    });
    let lines: String = lines.collect::<Result<_>>()?;
    bar.finish_and_clear();
    Ok(sha256_hex(lines.as_bytes()))
}

fn bar(bytes: u64) -> ProgressBar {
    let target =
        if bytes < LARGE { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template(
        "checkpoint's SHA-256: {bytes} of {total_bytes} {wide_bar} {eta} left",
    );
    ProgressBar::with_draw_target(Some(bytes), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
