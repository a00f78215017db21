//! Lists the built-in essays, so that a new file needs no other change.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let essays = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("corpora/essays");
    println!("cargo::rerun-if-changed={}", essays.display());
    let entries = fs::read_dir(&essays)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let list: String = files.iter().map(|file| format!("include_str!({file:?}),\n")).collect();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("essays.rs"), format!("[\n{list}]\n"))?;
    Ok(())
}
