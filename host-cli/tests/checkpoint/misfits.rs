//! Tensors, shards and files that do not belong to their configuration.

use std::{collections::BTreeMap, fs, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

use crate::{copy, fixture, refusal};

/// The first shard of the fixture that has two.
const SHARD: &str = "model-00001-of-00002.safetensors";

/// Rewrites a shard after `change`.
fn rewrite(path: &Path, change: impl FnOnce(&mut BTreeMap<String, TensorView<'_>>)) {
    let bytes = fs::read(path).unwrap();
    let stored = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: BTreeMap<_, _> = stored.tensors().into_iter().collect();
    change(&mut tensors);
    fs::write(path, safetensors::serialize(tensors, None).unwrap()).unwrap();
}

/// What is said against the fixture after a change to its first shard.
fn refusal_after(change: impl FnOnce(&mut BTreeMap<String, TensorView<'_>>)) -> String {
    let folder = copy("sheared-llama-sharegpt");
    rewrite(&folder.path().join(SHARD), change);
    refusal(folder.path())
}

fn zeros(dtype: Dtype, shape: &[usize]) -> TensorView<'static> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    let bytes = shape.iter().product::<usize>() * dtype.bitsize() / 8;
    TensorView::new(dtype, shape.to_vec(), &ZEROS[..bytes]).unwrap()
}

const NORM: &str = "model.layers.0.input_layernorm.weight";

#[test]
fn a_tensor_that_does_not_fit_is_named() {
    let misshaped = refusal_after(|tensors| {
        tensors.insert(NORM.to_owned(), zeros(Dtype::F32, &[3, 4]));
    });
    let expected = format!("tensor {NORM} has shape [3, 4], but the configuration implies [48]");
    assert!(misshaped.contains(&expected), "{misshaped}");

    let integers = refusal_after(|tensors| {
        tensors.insert(NORM.to_owned(), zeros(Dtype::I64, &[48]));
    });
    let expected = format!("tensor {NORM} has dtype i64, expected f32, bf16 or f16");
    assert!(integers.contains(&expected), "{integers}");

    let extra = refusal_after(|tensors| {
        tensors.insert("model.extra".to_owned(), zeros(Dtype::F32, &[2]));
    });
    assert!(
        extra.contains("tensor model.extra, of shape [2], is not part of the model"),
        "{extra}"
    );

    let missing = refusal_after(|tensors| {
        tensors.remove(NORM);
    });
    assert!(missing.contains(&format!("tensor {NORM} should be in {SHARD}")), "{missing}");
}

#[test]
fn a_tensor_that_no_shard_has_is_named() {
    let folder = copy("mamba2-fp32");
    let config = folder.path().join("config.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    json["n_layer"] = json!(4);
    fs::write(&config, json.to_string()).unwrap();
    let refusal = refusal(folder.path());
    let expected = "tensor backbone.layers.3.mixer.in_proj.weight, of shape [164, 32], is missing";
    assert!(refusal.contains(expected), "{refusal}");
    assert!(refusal.contains("\nhelp: "), "{refusal}");
}

#[test]
fn constants_beside_the_weights_are_passed_over() {
    let folder = copy("sheared-llama-sharegpt");
    rewrite(&folder.path().join(SHARD), |tensors| {
        let name = "model.layers.0.self_attn.rotary_emb.inv_freq".to_owned();
        tensors.insert(name, zeros(Dtype::I64, &[6]));
    });
    longseq::checkpoint::Checkpoint::open(folder.path()).unwrap();
}

#[test]
fn an_index_must_name_files_that_are_there() {
    let folder = copy("sheared-llama-sharegpt");
    let index = folder.path().join("model.safetensors.index.json");
    let good = fs::read_to_string(&index).unwrap();
    for (from, to, words) in [
        (SHARD, "model-00003-of-00002.safetensors", "model-00003-of-00002.safetensors: No such"),
        (SHARD, "../elsewhere.safetensors", "which is no file beside it"),
        (SHARD, "/etc/passwd", "which is no file beside it"),
        ("weight_map", "weights", "is no index of shards"),
        ("{", "", "is no index of shards"),
    ] {
        fs::write(&index, good.replacen(from, to, 1)).unwrap();
        let refusal = refusal(folder.path());
        assert!(refusal.contains(words) && refusal.contains("\nhelp: "), "{to}: {refusal}");
    }
}

#[test]
fn a_folder_without_a_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(&folder.path().join("nowhere")).contains("is no folder"));
    assert!(refusal(folder.path()).contains("config.json"));
    fs::copy(fixture("mamba2").join("config.json"), folder.path().join("config.json")).unwrap();
    assert!(refusal(folder.path()).contains("holds no weights"));
    fs::create_dir(folder.path().join("pytorch_model.bin")).unwrap();
    assert!(refusal(folder.path()).contains("is no regular file"));
}
