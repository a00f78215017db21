//! A run takes as much memory as it says, and a model as much as `inspect` says: within 5 % of the most that Linux saw.
#![cfg(target_os = "linux")]

mod random;

use std::{
    fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use longseq_core::numeric::tensor::Dtype;
use serde_json::{Value, json};

/// Its tokenizer has 1,024 ids.
const TOKENIZER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/random-mamba2");

const LENGTH: &str = "2048";

fn longseq() -> Command {
    Command::new(env!("CARGO_BIN_EXE_longseq"))
}

/// What a run says that it takes, what of that is the program without the model, and what it took, in MiB.
fn run(model: &Path, batch: &str) -> [f64; 3] {
    let out = tempfile::tempdir().unwrap();
    let mut child = longseq()
        .args(["run", "--tokenizer", TOKENIZER, "--tasks", "niah_single_1", "--lengths", LENGTH])
        .args(["--samples", batch, "--batch", batch, "--no-shared-prefix", "--no-decided-stop"])
        .arg("--model")
        .arg(model)
        .arg("--out")
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(&status).unwrap_or_default();
        // One that has ended has no memory.
        if let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            peak = line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0;
        }
        thread::sleep(Duration::from_millis(2));
    }
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let before = |words: &str| -> f64 {
        let (before, _) = said.split_once(words).expect(&said);
        before.rsplit([' ', '\n']).next().unwrap().parse().unwrap()
    };
    [before(" MiB at most"), before(" MiB for the program itself"), peak]
}

/// What `inspect` says that such a run takes, without the program itself, in MiB.
fn inspect(model: &Path, sequences: &str) -> f64 {
    let ran = longseq()
        .args(["inspect", "--json", "--sequences", sequences, "--model"])
        .arg(model)
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let memory = &said["memory_of_a_run"];
    let mut lengths = memory["lengths"].as_array().unwrap().iter();
    let of = lengths.find(|of| of["tokens"].as_u64() == LENGTH.parse().ok()).unwrap();
    let [program, total] =
        [&memory["program_bytes"], &of["total_bytes"]].map(|bytes| bytes.as_f64().unwrap());
    (total - program) / f64::from(1 << 20)
}

/// Runs a random model of that configuration.
fn check(name: &str, config: &Value, dtype: Dtype, batch: &str) {
    let model = tempfile::tempdir().unwrap();
    random::write(model.path(), config, dtype);
    let inspected = inspect(model.path(), batch);
    let [foretold, program, peak] = run(model.path(), batch);
    // Texts and prompts are not known to `inspect`.
    for (said, took) in [(foretold, peak), (inspected, peak - program)] {
        assert!(
            (took / said - 1.0).abs() <= 0.05,
            "{name}, batch {batch}: {said}, took {took} MiB"
        );
    }
}

fn llama(layers: usize, width: usize, vocabulary: usize) -> Value {
    json!({
        "model_type": "llama", "hidden_size": width, "num_hidden_layers": layers,
        "num_attention_heads": width / 64, "num_key_value_heads": width / 128,
        "intermediate_size": 1408, "vocab_size": vocabulary, "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": false,
        "bos_token_id": 1, "eos_token_id": 2,
    })
}

#[test]
fn mamba2() {
    let config = json!({
        "d_model": 512, "d_intermediate": 0, "n_layer": 20, "vocab_size": 8192,
        "ssm_cfg": {"layer": "Mamba2"}, "attn_layer_idx": [], "attn_cfg": {}, "rms_norm": true,
        "residual_in_fp32": true, "fused_add_norm": true, "pad_vocab_size_multiple": 16,
        "tie_embeddings": true,
    });
    check("Mamba-2", &config, Dtype::Bf16, "1");
    check("Mamba-2", &config, Dtype::Bf16, "3");
}

#[test]
fn transformers() {
    check("LLaMA", &llama(10, 512, 8192), Dtype::Bf16, "4");
    // Packed to half of the file's size.
    check("LLaMA in f32", &llama(10, 512, 8192), Dtype::F32, "1");
    // Most while the embedding is packed.
    check("LLaMA, large vocabulary", &llama(1, 512, 65536), Dtype::Bf16, "1");
}

#[test]
fn recurrent_gemma() {
    let config = json!({
        "model_type": "recurrent_gemma", "hidden_size": 512, "num_hidden_layers": 9,
        "intermediate_size": 3072, "num_attention_heads": 4, "num_key_value_heads": 1,
        "lru_width": 512, "vocab_size": 16384, "attention_window_size": 1024, "conv1d_width": 4,
        "logits_soft_cap": 30.0, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
        "partial_rotary_factor": 0.5, "hidden_activation": "gelu_pytorch_tanh",
        "block_types": ["recurrent", "recurrent", "attention"], "attention_bias": false,
        "tie_word_embeddings": true, "bos_token_id": 2, "eos_token_id": 1,
    });
    check("RecurrentGemma", &config, Dtype::Bf16, "2");
}

#[test]
fn rwkv6() {
    let config = json!({
        "model_type": "rwkv6", "hidden_size": 512, "attention_hidden_size": 512,
        "num_hidden_layers": 10, "head_size": 64, "head_size_divisor": 8,
        "intermediate_size": null, "vocab_size": 16384, "rescale_every": 0,
        "layer_norm_epsilon": 1e-5, "tie_word_embeddings": false,
        "bos_token_id": 0, "eos_token_id": 0,
    });
    check("RWKV-6", &config, Dtype::Bf16, "2");
}
