//! The engine over longseq-cpu: near the goldens, and the same whatever is beside a slot.

use std::process::Command;

use longseq::{
    checkpoint::Checkpoint,
    engine::{
        cpu::{CpuEngine, logits},
        packed::Packed,
    },
    quirks::Quirk,
};
use longseq_cpu::{GRID, weight::Compute};

#[path = "common/models.rs"]
mod models;

use models::{MODELS, difference, fixture, floats, golden, ids};

/// A checkpoint and its golden.
fn open(name: &str) -> (Checkpoint, Vec<u8>) {
    (Checkpoint::open(&fixture(name)).unwrap(), golden(name))
}

fn rows(checkpoint: &Checkpoint, compute: Compute, prompt: &[u32], following: &[u32]) -> Vec<f32> {
    let mut all = Vec::new();
    let packed = Packed::new(checkpoint, compute).unwrap();
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
        let (_, expected) = floats(&golden, "logits.L200");
        let found = rows(&checkpoint, Compute::F32, &tokens, &[]);
        let error = difference(&found, &expected);
        assert!(error <= 2e-3, "{name}: {error}");
        let found = rows(&checkpoint, Compute::Bf16, &tokens, &[]);
        let error = relative(&found, &expected);
        assert!(error <= 2e-2, "{name}: {error}");
    }
}

/// Root mean square of the difference, relative to that of the expected values.
fn relative(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f32>| -> f64 {
        values.map(|x| f64::from(x).powi(2)).sum()
    };
    let error = square(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (error / square(&mut expected.iter().copied())).sqrt()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

fn decode(packed: Packed<'_>, prompts: &[Vec<u32>], piece: usize) -> Vec<Vec<u32>> {
    models::decode(&mut CpuEngine::new(packed, prompts.len(), 300).unwrap(), prompts, piece)
}

#[test]
fn greedy_tokens_are_the_goldens_in_any_batch_on_any_number_of_threads() {
    for name in MODELS {
        let (checkpoint, golden) = open(name);
        let prompts = [ids(&golden, "tokens.L7"), ids(&golden, "tokens.L64")];
        let expected = [ids(&golden, "greedy.L7.tokens"), ids(&golden, "greedy.L64.tokens")];
        let packed = |compute| Packed::new(&checkpoint, compute).unwrap();
        let whole = decode(packed(Compute::Bf16), &prompts, 64);
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| decode(packed(Compute::F32), &prompts, 64));
            assert_eq!(found, expected, "{name} on {threads} threads");
            let found = pool.install(|| decode(packed(Compute::Bf16), &prompts, 64));
            assert_eq!(found, whole, "{name} in bf16 on {threads} threads");
        }
        assert_eq!(decode(packed(Compute::Bf16), &prompts[1..], 64), whole[1..], "{name} alone");
    }
}

/// What follows a prompt one by one is near what a longer prompt gives, and the prompt itself is the same to the bit.
#[test]
fn logits_hardly_depend_on_how_a_text_is_cut() {
    for name in MODELS {
        let (checkpoint, golden) = open(name);
        let tokens = ids(&golden, "tokens.L200");
        for (compute, bound) in [(Compute::F32, 1e-5), (Compute::Bf16, 2e-2)] {
            let whole = rows(&checkpoint, compute, &tokens, &[]);
            for prompt in [1, 70, 180] {
                let (prompt, following) = tokens.split_at(prompt);
                let cut = rows(&checkpoint, compute, prompt, following);
                let (read, written) = cut.split_at(prompt.len() * checkpoint.config().vocabulary);
                let (same, near) = whole.split_at(read.len());
                assert!(bits(read) == bits(same), "{name} {compute:?}");
                let error = relative(written, near);
                assert!(error <= bound, "{name} {compute:?}: {error}");
            }
        }
    }
}

/// To the bit, in both precisions: pieces that end on the grid.
#[test]
fn greedy_tokens_do_not_depend_on_where_on_the_grid_a_prompt_is_cut() {
    for name in MODELS {
        let (checkpoint, golden) = open(name);
        let prompts = [ids(&golden, "tokens.L200"), ids(&golden, "tokens.L7")];
        for compute in [Compute::F32, Compute::Bf16] {
            let run = |piece| decode(Packed::new(&checkpoint, compute).unwrap(), &prompts, piece);
            let whole = run(256);
            for piece in [GRID, 2 * GRID] {
                assert_eq!(run(piece), whole, "{name} {compute:?}, pieces of {piece}");
            }
        }
    }
}

#[test]
fn a_fork_is_an_exact_copy() {
    for name in MODELS {
        let (checkpoint, _) = open(name);
        let packed = Packed::new(&checkpoint, Compute::Bf16).unwrap();
        models::a_fork_is_an_exact_copy(&mut CpuEngine::new(packed, 3, 200).unwrap(), name);
    }
}

#[test]
fn quirks_are_reproduced() {
    let (mut checkpoint, golden) = open("recurrentgemma");
    checkpoint.reproduce(&[Quirk::Hf4RecurrentgemmaPrefill]).unwrap();
    let found = rows(&checkpoint, Compute::F32, &ids(&golden, "tokens.L200"), &[]);
    let (_, expected) = floats(&golden, "logits_hf4_cached.L200.last32");
    assert!(difference(&found[found.len() - expected.len()..], &expected) < 2e-3);

    let (mut checkpoint, golden) = open("mamba2attn");
    checkpoint.reproduce(&[Quirk::MambaSsmHybridConvState]).unwrap();
    let packed = Packed::new(&checkpoint, Compute::F32).unwrap();
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
