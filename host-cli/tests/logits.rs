//! `longseq logits` and the engine against goldens of the models' equations, computed in float64.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use longseq::{
    checkpoint::{Checkpoint, Weights},
    engine::{Continuation, Engine, native::Native},
    quirks::Quirk,
};
use longseq_core::numeric::Real;

#[path = "common/models.rs"]
mod models;

use models::{MODELS, difference, fixture, floats, golden, ids};

fn longseq(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_longseq")).args(arguments).output().unwrap()
}

/// `longseq logits` of these ids.
fn logits(model: &str, ids: &[u32], more: &[&str]) -> (Vec<usize>, Vec<f32>) {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("ids.json"), folder.path().join("l.safetensors"));
    fs::write(&input, serde_json::to_string(ids).unwrap()).unwrap();
    let (model, input) = (fixture(model), input.to_str().unwrap());
    let arguments = ["--model", model.to_str().unwrap(), "--input-ids-file", input];
    let output_argument = ["--output", output.to_str().unwrap()];
    let ran = longseq(&[&["logits"], &arguments[..], &output_argument, more].concat());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    floats(&fs::read(&output).unwrap(), "logits")
}

#[test]
fn the_commands_logits_are_those_of_the_goldens() {
    for model in MODELS {
        let golden = golden(model);
        let tokens = ids(&golden, "tokens.L200");
        let (shape, expected) = floats(&golden, "logits.L200");
        for (precision, bound) in [("f64", 2e-5), ("f32", 2e-3)] {
            let (found_shape, found) = logits(model, &tokens, &["--precision", precision]);
            assert_eq!(found_shape, shape, "{model}");
            let error = difference(&found, &expected);
            assert!(error <= bound, "{model} in {precision}: {error}");
        }
    }
}

#[test]
fn quirks_are_those_of_the_goldens() {
    for (quirk, name) in [
        ("hf4-recurrentgemma-prefill", "logits_hf4_cached.L200.last32"),
        ("recurrentgemma-window-plus-one", "logits_dm.L200.last32"),
    ] {
        for model in ["recurrentgemma", "recurrentgemma-it"] {
            let golden = golden(model);
            let (_, found) = logits(model, &ids(&golden, "tokens.L200"), &["--quirks", quirk]);
            let (_, expected) = floats(&golden, name);
            assert!(difference(&found[found.len() - expected.len()..], &expected) < 2e-3);
        }
    }
    let golden = golden("mamba2attn");
    for length in [7, 64] {
        let quirk = |what: &str| format!("quirk_mamba_ssm_cached.L{length}.{what}");
        let mut text = ids(&golden, &format!("tokens.L{length}"));
        text.extend(&ids(&golden, &quirk("tokens"))[..15]);
        let prompt = length.to_string();
        let generation = ["--quirks", "mamba-ssm-hybrid-conv-state", "--prompt-tokens", &prompt];
        let (_, found) = logits("mamba2attn", &text, &generation);
        let (_, expected) = floats(&golden, &quirk("logits"));
        assert!(difference(&found[found.len() - expected.len()..], &expected) < 2e-3);
        // Without the fault it does not matter where the prompt ends.
        let (_, whole) = logits("mamba2attn", &text, &[]);
        assert_eq!(logits("mamba2attn", &text, &generation[2..]).1, whole);
    }
}

#[test]
fn quirks_that_do_not_apply_are_refused() {
    for (model, arguments, words) in [
        ("rwkv6", &["--quirks", "hf4-recurrentgemma-prefill"][..], "a fault of RecurrentGemma"),
        ("mamba2", &["--quirks", "huang2025-uuid-depths"], "concerns prompts"),
        ("mamba2", &["--quirks", "none"], "invalid value 'none' for '--quirks"),
        ("mamba2", &["--prompt-tokens", "4"], "--prompt-tokens 4, but 3 token ids"),
    ] {
        let model = fixture(model);
        let ids = ["logits", "--model", model.to_str().unwrap(), "--input-ids", "1,2,3"];
        let ran = longseq(&[&ids[..], &["--output", "no.safetensors"], arguments].concat());
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}

fn decode<R: Real>(weights: &Weights<'_>, prompts: &[Vec<u32>]) -> Vec<Vec<u32>> {
    models::decode(
        &mut Native::<R>::new(weights.clone(), prompts.len(), 300).unwrap(),
        prompts,
        300,
    )
}

#[test]
fn greedy_tokens_are_the_goldens_in_any_batch_on_any_number_of_threads() {
    for model in MODELS {
        let golden = golden(model);
        let checkpoint = Checkpoint::open(&fixture(model)).unwrap();
        let weights = checkpoint.weights().unwrap();
        let prompts = [ids(&golden, "tokens.L7"), ids(&golden, "tokens.L64")];
        let expected = [ids(&golden, "greedy.L7.tokens"), ids(&golden, "greedy.L64.tokens")];
        assert_eq!(decode::<f64>(&weights, &prompts), expected, "{model}");
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let together = pool.install(|| decode::<f32>(&weights, &prompts));
            assert_eq!(together, expected, "{model} on {threads} threads");
        }
        assert_eq!(decode::<f32>(&weights, &prompts[1..]), expected[1..], "{model} alone");
    }
}

/// A slot's first call is its prompt, however long, and later calls go on from what it left.
#[test]
fn the_engine_generates_with_quirks() {
    let golden = golden("mamba2attn");
    let mut checkpoint = Checkpoint::open(&fixture("mamba2attn")).unwrap();
    checkpoint.reproduce(&[Quirk::MambaSsmHybridConvState]).unwrap();
    let weights = checkpoint.weights().unwrap();
    let names = ["tokens.L7", "tokens.L64"];
    let expected =
        ["L7", "L64"].map(|of| ids(&golden, &format!("quirk_mamba_ssm_cached.{of}.tokens")));
    assert_eq!(decode::<f32>(&weights, &names.map(|name| ids(&golden, name))), expected);

    // 200 tokens would be two pieces of a prompt elsewhere.
    let golden = self::golden("recurrentgemma");
    let mut checkpoint = Checkpoint::open(&fixture("recurrentgemma")).unwrap();
    checkpoint.reproduce(&[Quirk::Hf4RecurrentgemmaPrefill]).unwrap();
    let weights = checkpoint.weights().unwrap();
    let mut engine = Native::<f64>::new(weights, 1, 200).unwrap();
    engine.reset(0);
    let tokens = ids(&golden, "tokens.L200");
    let next = models::forward(&mut engine, &[Continuation { slot: 0, tokens: &tokens }]);
    let (shape, logits) = floats(&golden, "logits_hf4_cached.L200.last32");
    let last = &logits[logits.len() - shape[1]..];
    let best = (0..shape[1]).max_by(|&a, &b| last[a].total_cmp(&last[b])).unwrap();
    assert_eq!(next, [best as u32]);
}

#[test]
fn a_fork_is_an_exact_copy() {
    for model in ["mamba2attn", "sheared-llama", "recurrentgemma", "rwkv6"] {
        let checkpoint = Checkpoint::open(&fixture(model)).unwrap();
        let weights = checkpoint.weights().unwrap();
        let mut engine = Native::<f32>::new(weights, 3, 200).unwrap();
        models::a_fork_is_an_exact_copy(&mut engine, model);
    }
}

#[test]
fn a_full_slot_is_an_error() {
    let checkpoint = Checkpoint::open(&fixture("sheared-llama")).unwrap();
    let weights = checkpoint.weights().unwrap();
    let mut engine = Native::<f32>::new(weights, 1, 4).unwrap();
    engine.reset(0);
    let batch = [Continuation { slot: 0, tokens: &[1; 5] }];
    let refused = engine.forward(&batch, &mut [0]).unwrap_err();
    assert!(refused.to_string().contains("slot 0 holds at most 4 tokens, 5 needed"), "{refused}");
    assert!(engine.forward(&batch, &mut []).is_err());
}

#[test]
fn bad_ids_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids.json");
    fs::write(&file, "[1, -2]").unwrap();
    let output = folder.path().join("l.safetensors");
    let (model, output) = (fixture("mamba2"), output.to_str().unwrap());
    let model = model.to_str().unwrap();
    for (flag, ids, words) in [
        ("--input-ids", "1,2,112", "token 112 (number 2, from 0) is beyond the model's vocabulary"),
        ("--input-ids-file", file.to_str().unwrap(), "is no JSON array of token ids"),
        ("--input-ids-file", "nowhere.json", "cannot read nowhere.json"),
    ] {
        let ran = longseq(&["logits", "--model", model, flag, ids, "--output", output]);
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(words), "{stderr}");
        assert!(!Path::new(output).exists());
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let model = fixture("mamba2");
    for output in [&socket, &folder.path().to_path_buf()] {
        let (model, output) = (model.to_str().unwrap(), output.to_str().unwrap());
        let ran = longseq(&["logits", "--model", model, "--input-ids", "1", "--output", output]);
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("is no regular file\nhelp: "), "{stderr}");
    }
    assert!(!fs::symlink_metadata(&socket).unwrap().is_file());
}

#[test]
fn inspect_says_what_a_checkpoint_is() {
    let model = fixture("mamba2attn");
    let ran = longseq(&["inspect", "--model", model.to_str().unwrap(), "--json"]);
    assert!(ran.status.success());
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(json["family"], "Mamba2Attention");
    assert_eq!(json["parameters"], 69_726);
    assert_eq!(json["layers"], serde_json::json!({"recurrent": 3, "attention": 1}));
    // 3 × (conv 128 × 3 + state 6 × 16 × 16) + conv 216 × 3 elements; 2 × 72 a token.
    let first = &json["f32_memory_of_a_sequence"][0];
    assert_eq!(first["state_bytes"], 4 * (3 * (128 * 3 + 6 * 16 * 16) + 216 * 3));
    assert_eq!(first["cache_bytes"], 4 * 2 * 72 * 1024);
    // 2 × (conv 32 × 3 + h 32) elements, and 16 rows of keys and values, of 16 each.
    let gemma = fixture("recurrentgemma-it");
    let ran = longseq(&["inspect", "--model", gemma.to_str().unwrap(), "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(json["layers"], serde_json::json!({"recurrent": 2, "attention": 1}));
    for at in [0, 7] {
        let memory = &json["f32_memory_of_a_sequence"][at];
        assert_eq!(memory["state_bytes"], 4 * 2 * (32 * 3 + 32));
        assert_eq!(memory["cache_bytes"], 4 * 2 * 16 * 16);
    }
    let rwkv = fixture("rwkv6");
    let ran = longseq(&["inspect", "--model", rwkv.to_str().unwrap(), "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(
        (json["family"].as_str(), json["end_of_text"][0].as_u64()),
        (Some("RWKV-6"), Some(0))
    );
    // 3 × (two last inputs of 32, S 2 × 16 × 16).
    let memory = &json["f32_memory_of_a_sequence"][7];
    assert_eq!(memory["state_bytes"], 4 * 3 * (2 * 32 + 2 * 16 * 16));
    assert_eq!(memory["cache_bytes"], 0);
    let text = longseq(&["inspect", "--model", model.to_str().unwrap()]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("family      Mamba2Attention\n"), "{text}");
    assert!(text.contains("layers      4: 3 recurrent, 1 with attention\n"), "{text}");
}

#[cfg(feature = "cuda")]
#[test]
fn inspect_says_what_a_gpu_needs() {
    let model = fixture("mamba2attn");
    let inspect = |more: &[&str]| {
        let ran = longseq(&[&["inspect", "--model", model.to_str().unwrap()], more].concat());
        assert!(ran.status.success());
        String::from_utf8(ran.stdout).unwrap()
    };
    let of = |more: &[&str]| -> serde_json::Value {
        let json = inspect(&[&["--json", "--sequences", "3"], more].concat());
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["memory_of_a_run_on_a_gpu"].take()
    };
    let (half, single) = (of(&[]), of(&["--compute", "f32"]));
    // All of them are stored in f32: matrices that are exact in no fewer bits stay so, and without being asked keys and values
    // are rounded.
    assert_eq!((&half["cache_dtype"], &single["cache_dtype"]), (&"bf16".into(), &"f32".into()));
    assert_eq!(single["weights_bytes"], 4 * 69_726);
    for (memory, size) in [(&half, 2), (&single, 4)] {
        let sequence = &memory["sequence"][7];
        assert_eq!(sequence["state_bytes"], 4 * (3 * (128 * 3 + 6 * 16 * 16) + 216 * 3));
        assert_eq!(sequence["cache_bytes"], size * 2 * 72 * 131_072);
        let run = &memory["lengths"][7];
        let [working, total] = ["working_bytes", "total_bytes"].map(|name| run[name].as_u64());
        let [state, cache] =
            ["state_bytes", "cache_bytes"].map(|name| sequence[name].as_u64().unwrap());
        let weights = memory["weights_bytes"].as_u64().unwrap();
        assert_eq!(total.unwrap(), weights + 3 * (state + cache) + working.unwrap());
    }
    assert_eq!(half["gpu"].is_null(), half["free_bytes"].is_null());
    assert!(inspect(&[]).contains("\nMemory of a run on "), "{}", inspect(&[]));
}
