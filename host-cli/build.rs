//! Lists the built-in essays, so that a new file needs no other change, and asks git which commit
//! is being built.

use std::{env, error::Error, fs, path::Path, process::Command};

fn main() -> Result<(), Box<dyn Error>> {
    list_essays()?;
    name_commit()
}

/// `LONGSEQ_COMMIT`: the commit, `-dirty` where files differ from it, `unknown` without git.
fn name_commit() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(&workspace).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let commit = git(&["describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]);
    println!("cargo::rustc-env=LONGSEQ_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    // Whatever can change the answer.
    let head = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]);
    let sources = ["Cargo.toml", "Cargo.lock", "core", "host-cli"];
    let sources = sources.map(|name| workspace.join(name).display().to_string());
    for path in sources.into_iter().chain(head).filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    Ok(())
}

fn list_essays() -> Result<(), Box<dyn Error>> {
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
