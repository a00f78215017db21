//! The engine over longseq-cpu: near the goldens, and the same whatever is beside a slot.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use longseq::{
    checkpoint::Checkpoint,
    engine::{
        Continuation, Engine,
        cpu::{CpuEngine, Packed, logits},
    },
    quirks::Quirk,
};
use longseq_cpu::weight::Compute;
use safetensors::SafeTensors;

const MODELS: [&str; 11] = [
    "mamba2",
    "mamba2-bf16",
    "mamba2-fp32",
    "mamba2attn",
    "transformerpp",
    "sheared-llama",
    "sheared-llama-sharegpt",
    "recurrentgemma",
    "recurrentgemma-it",
    "rwkv6",
    "rwkv6-st",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models").join(name)
}

/// A checkpoint and its golden.
fn open(name: &str) -> (Checkpoint, Vec<u8>) {
    let golden = fs::read(fixture(name).join("golden.safetensors")).unwrap();
    (Checkpoint::open(&fixture(name)).unwrap(), golden)
}

fn ids(golden: &[u8], name: &str) -> Vec<u32> {
    let tensors = SafeTensors::deserialize(golden).unwrap();
    let (elements, _) = tensors.tensor(name).unwrap().data().as_chunks::<8>();
    elements.iter().map(|&bytes| i64::from_le_bytes(bytes) as u32).collect()
}

fn floats(golden: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(golden).unwrap();
    let (elements, _) = tensors.tensor(name).unwrap().data().as_chunks::<4>();
    elements.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn rows(checkpoint: &Checkpoint, compute: Compute, prompt: &[u32], following: &[u32]) -> Vec<f32> {
    let weights = checkpoint.weights().unwrap();
    let mut all = Vec::new();
    let packed = Packed::new(&weights, compute).unwrap();
    logits(packed, (prompt, following), |row| {
        all.extend_from_slice(row);
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn logits_are_near_the_goldens() {
    for name in MODELS {
        let (checkpoint, golden) = open(name);
        let tokens = ids(&golden, "tokens.L200");
        let expected = floats(&golden, "logits.L200");
        let found = rows(&checkpoint, Compute::F32, &tokens, &[]);
        assert_eq!(found.len(), expected.len());
        let error = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(error <= 2e-3, "{name}: {error}");
        let found = rows(&checkpoint, Compute::Bf16, &tokens, &[]);
        let square = |values: &mut dyn Iterator<Item = f32>| -> f64 {
            values.map(|x| f64::from(x).powi(2)).sum()
        };
        let error = square(&mut found.iter().zip(&expected).map(|(a, b)| a - b));
        let relative = (error / square(&mut expected.iter().copied())).sqrt();
        assert!(relative <= 2e-2, "{name}: {relative}");
    }
}

/// Sixteen greedy tokens after each prompt, a slot each, the prompts in pieces of `piece`.
fn decode(packed: Packed<'_>, prompts: &[Vec<u32>], piece: usize) -> Vec<Vec<u32>> {
    let mut engine = CpuEngine::new(packed, prompts.len(), 300).unwrap();
    (0..prompts.len()).for_each(|slot| engine.reset(slot));
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let mut written = vec![Vec::new(); prompts.len()];
    for start in (0..longest).step_by(piece) {
        let pieces: Vec<_> = (0..prompts.len())
            .filter_map(|slot| {
                let rest = prompts[slot].get(start..).filter(|rest| !rest.is_empty())?;
                Some(Continuation { slot, tokens: &rest[..rest.len().min(piece)] })
            })
            .collect();
        for (of, token) in pieces.iter().zip(engine.forward(&pieces).unwrap()) {
            // The last piece's token is the first of the answer.
            written[of.slot] = vec![token];
        }
    }
    for _ in 1..16 {
        let last: Vec<u32> = written.iter().map(|tokens| *tokens.last().unwrap()).collect();
        let next: Vec<_> = last
            .iter()
            .enumerate()
            .map(|(slot, token)| Continuation { slot, tokens: std::slice::from_ref(token) })
            .collect();
        for (tokens, token) in written.iter_mut().zip(engine.forward(&next).unwrap()) {
            tokens.push(token);
        }
    }
    written
}

#[test]
fn greedy_tokens_are_the_goldens_in_any_batch_on_any_number_of_threads() {
    for name in MODELS {
        let (checkpoint, golden) = open(name);
        let weights = checkpoint.weights().unwrap();
        let prompts = [ids(&golden, "tokens.L7"), ids(&golden, "tokens.L64")];
        let expected = [ids(&golden, "greedy.L7.tokens"), ids(&golden, "greedy.L64.tokens")];
        let packed = |compute| Packed::new(&weights, compute).unwrap();
        let whole = decode(packed(Compute::Bf16), &prompts, 64);
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| decode(packed(Compute::F32), &prompts, 64));
            assert_eq!(found, expected, "{name} on {threads} threads");
            for piece in [5, 64] {
                let found = pool.install(|| decode(packed(Compute::Bf16), &prompts, piece));
                assert_eq!(found, whole, "{name} in bf16, pieces of {piece}, {threads} threads");
            }
        }
        assert_eq!(decode(packed(Compute::Bf16), &prompts[1..], 64), whole[1..], "{name} alone");
    }
}

/// To the bit, in both precisions: pieces, and what follows a prompt one by one.
#[test]
fn logits_do_not_depend_on_how_a_text_is_cut() {
    for name in MODELS {
        let (checkpoint, golden) = open(name);
        let tokens = ids(&golden, "tokens.L200");
        for compute in [Compute::F32, Compute::Bf16] {
            let whole = rows(&checkpoint, compute, &tokens, &[]);
            for prompt in [1, 70, 180] {
                let (prompt, following) = tokens.split_at(prompt);
                let cut = rows(&checkpoint, compute, prompt, following);
                let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&cut), bits(&whole), "{name} {compute:?}");
            }
        }
    }
}

/// A fork continues as its origin does, which does not notice.
#[test]
fn a_fork_is_an_exact_copy() {
    for name in MODELS {
        let (checkpoint, golden) = open(name);
        let tokens = ids(&golden, "tokens.L200");
        let weights = checkpoint.weights().unwrap();
        let packed = Packed::new(&weights, Compute::Bf16).unwrap();
        let mut engine = CpuEngine::new(packed, 3, 200).unwrap();
        let read = |engine: &mut CpuEngine<'_>, slot, tokens: &[u32]| {
            engine.forward(&[Continuation { slot, tokens }]).unwrap()
        };
        engine.reset(0);
        read(&mut engine, 0, &tokens[..150]);
        engine.fork(0, 2);
        let fork = read(&mut engine, 2, &tokens[150..]);
        let origin = read(&mut engine, 0, &tokens[150..]);
        engine.reset(1);
        let whole = read(&mut engine, 1, &tokens);
        assert_eq!((&fork, &origin), (&whole, &whole), "{name}");
    }
}

#[test]
fn quirks_are_reproduced() {
    let (mut checkpoint, golden) = open("recurrentgemma");
    checkpoint.reproduce(&[Quirk::Hf4RecurrentgemmaPrefill]).unwrap();
    let found = rows(&checkpoint, Compute::F32, &ids(&golden, "tokens.L200"), &[]);
    let expected = floats(&golden, "logits_hf4_cached.L200.last32");
    let found = &found[found.len() - expected.len()..];
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 2e-3));

    let (mut checkpoint, golden) = open("mamba2attn");
    checkpoint.reproduce(&[Quirk::MambaSsmHybridConvState]).unwrap();
    let weights = checkpoint.weights().unwrap();
    let packed = Packed::new(&weights, Compute::F32).unwrap();
    let prompts = [ids(&golden, "tokens.L7"), ids(&golden, "tokens.L64")];
    let expected =
        ["L7", "L64"].map(|of| ids(&golden, &format!("quirk_mamba_ssm_cached.{of}.tokens")));
    assert_eq!(decode(packed, &prompts, 64), expected);
}

#[test]
fn options_of_the_other_backend_are_refused() {
    let model = fixture("mamba2");
    let ids = ["logits", "--model", model.to_str().unwrap(), "--input-ids", "1,2,3"];
    for (options, words) in [
        (["--backend", "cpu", "--precision", "f64"], "--precision is an option of the reference"),
        (["--backend", "reference", "--compute", "bf16"], "--compute is an option of the cpu"),
    ] {
        let ran = Command::new(env!("CARGO_BIN_EXE_longseq"))
            .args(ids)
            .args(options)
            .args(["--output", "no.safetensors"])
            .output()
            .unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}
