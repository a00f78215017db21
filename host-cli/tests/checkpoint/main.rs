//! Checkpoint folders: every layout read, every misfit named, no damage that panics.

mod config;
mod damage;
mod misfits;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use longseq::checkpoint::Checkpoint;
use longseq_core::hybrid::config::Family;

/// A committed checkpoint.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models").join(name)
}

/// A copy of a committed checkpoint, to be spoilt.
pub fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(fixture(name)).expect("a fixture") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    folder
}

/// What `Checkpoint::open` says against a folder.
pub fn refusal(folder: &Path) -> String {
    match Checkpoint::open(folder) {
        Ok(_) => panic!("{} was accepted", folder.display()),
        Err(error) => error.to_string(),
    }
}

/// Parameters by dtype as PyTorch and safetensors count them (tied heads once, `inv_freq` left out).
#[test]
fn opens_every_family_in_every_layout() {
    type Parameters = &'static [(&'static str, u64)];
    let expected: [(&str, Family, usize, Parameters); 7] = [
        ("mamba2", Family::Mamba2, 112, &[("f16", 54_720), ("f32", 54)]),
        ("mamba2-bf16", Family::Mamba2, 112, &[("bf16", 54_774)]),
        ("mamba2-fp32", Family::Mamba2, 112, &[("f32", 27_268)]),
        ("mamba2attn", Family::Mamba2Attention, 112, &[("f16", 69_726)]),
        ("transformerpp", Family::TransformerPlusPlus, 112, &[("f16", 88_656)]),
        ("sheared-llama", Family::Llama, 120, &[("f32", 80_976)]),
        ("sheared-llama-sharegpt", Family::Llama, 120, &[("bf16", 74_064)]),
    ];
    for (name, family, vocabulary, parameters) in expected {
        let checkpoint = Checkpoint::open(&fixture(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(checkpoint.config().family, family, "{name}");
        assert_eq!(checkpoint.config().vocabulary, vocabulary, "{name}");
        let by_dtype: BTreeMap<_, _> =
            parameters.iter().map(|&(dtype, count)| (dtype.to_owned(), count)).collect();
        assert_eq!(*checkpoint.parameters_by_dtype(), by_dtype, "{name}");
        assert_eq!(checkpoint.weights().unwrap().layers.len(), checkpoint.config().layers);
        let eos: &[u32] = if family == Family::Llama { &[2] } else { &[] };
        assert_eq!(checkpoint.end_of_text(), eos, "{name}");
    }
}

#[test]
fn generation_config_says_what_ends_a_text() {
    let of = |name: &str, content: &str| {
        let folder = copy(name);
        fs::write(folder.path().join("generation_config.json"), content).unwrap();
        Checkpoint::open(folder.path()).map(|of| of.end_of_text().to_vec())
    };
    assert_eq!(of("sheared-llama", r#"{"eos_token_id": [2, 107]}"#).unwrap(), [2, 107]);
    assert_eq!(of("sheared-llama", r#"{"bos_token_id": 1}"#).unwrap(), [2]);
    assert!(of("mamba2", r#"{"eos_token_id": 0}"#).unwrap().is_empty());
    for damaged in ["", "[]", r#"{"eos_token_id": -1}"#] {
        let error = of("sheared-llama", damaged).unwrap_err().to_string();
        assert!(error.contains("generation_config.json"), "{error}");
    }
}

/// `sha256sum config.json pytorch_model.bin | sha256sum` in the folder of the fixture.
#[test]
fn the_digest_is_that_of_sha256sums_output() {
    let checkpoint = Checkpoint::open(&fixture("mamba2")).unwrap();
    assert_eq!(
        checkpoint.sha256().unwrap(),
        "2c3ad39ea82b49e8a16ccedf4e64fc6cb0206bdb82b7c8071be0686e3523283a"
    );
    // With an index: config.json, the index, the shards.
    let checkpoint = Checkpoint::open(&fixture("sheared-llama")).unwrap();
    assert_eq!(
        checkpoint.sha256().unwrap(),
        "9b4775794c75a1462e4a77ec18a8414a65ba199a9a76ae69e75cdd3ad3f07cad"
    );
}
