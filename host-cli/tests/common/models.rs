//! The small checkpoints of the fixtures, their goldens, and laws that every engine keeps.

use std::{
    fs,
    path::{Path, PathBuf},
};

use longseq::engine::{Continuation, Engine};
use safetensors::SafeTensors;

/// Every kind of model.
pub const MODELS: [&str; 11] = [
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

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models").join(name)
}

pub fn golden(model: &str) -> Vec<u8> {
    fs::read(fixture(model).join("golden.safetensors")).unwrap()
}

/// Token ids of a golden.
pub fn ids(golden: &[u8], name: &str) -> Vec<u32> {
    let tensors = SafeTensors::deserialize(golden).unwrap();
    let (elements, rest) = tensors.tensor(name).unwrap().data().as_chunks::<8>();
    assert!(rest.is_empty());
    elements.iter().map(|&bytes| i64::from_le_bytes(bytes) as u32).collect()
}

/// Shape and values of a tensor.
pub fn floats(file: &[u8], name: &str) -> (Vec<usize>, Vec<f32>) {
    let tensors = SafeTensors::deserialize(file).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    let (elements, rest) = tensor.data().as_chunks::<4>();
    assert!(rest.is_empty());
    let elements = elements.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    (tensor.shape().to_vec(), elements)
}

/// The largest difference; no value may be NaN, which a maximum would pass over.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|value| !value.is_nan()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The greedy tokens after a call.
pub fn forward(engine: &mut dyn Engine, batch: &[Continuation<'_>]) -> Vec<u32> {
    let mut next = vec![0; batch.len()];
    engine.forward(batch, &mut next).unwrap();
    next
}

/// Sixteen greedy tokens after each prompt, a slot each, the prompts in pieces of `piece`.
pub fn decode(engine: &mut dyn Engine, prompts: &[Vec<u32>], piece: usize) -> Vec<Vec<u32>> {
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
        for (of, token) in pieces.iter().zip(forward(engine, &pieces)) {
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
        for (tokens, token) in written.iter_mut().zip(forward(engine, &next)) {
            tokens.push(token);
        }
    }
    written
}

/// A fork continues as its origin does, which does not notice: on an engine of three slots for 200 tokens.
pub fn a_fork_is_an_exact_copy(engine: &mut dyn Engine, model: &str) {
    let tokens = ids(&golden(model), "tokens.L200");
    let read = |engine: &mut dyn Engine, slot, tokens: &[u32]| {
        forward(engine, &[Continuation { slot, tokens }])
    };
    engine.reset(0);
    read(engine, 0, &tokens[..150]);
    engine.fork(0, 2);
    let fork = read(engine, 2, &tokens[150..]);
    let origin = read(engine, 0, &tokens[150..]);
    engine.reset(1);
    let whole = read(engine, 1, &tokens);
    assert_eq!((&fork, &origin), (&whole, &whole), "{model}");
}
