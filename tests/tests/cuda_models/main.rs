//! Whole models of every family through the shipped kernels, run by the emulator, against the goldens.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod engine;
mod goldens;
mod laws;
mod trained;

use longseq::checkpoint::Checkpoint;
use longseq::engine::cuda::buffers;
use longseq_core::hybrid::config::ModelConfig;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::{Cuda, buffer::Buffer};
use longseq_cuda_emulator::{Emulator, Memory, Options};
use longseq_tests::loaded::Loaded;
use longseq_tests::transfer::{Put, Transfer, put_bf16};

/// In which precisions a model is run.
#[derive(Clone, Copy, Debug)]
struct Precision {
    weights: Compute,
    cache: Dtype,
    /// Of what only products read.
    factors: Dtype,
}

/// Everything in f32.
const SINGLE: Precision =
    Precision { weights: Compute::F32, cache: Dtype::F32, factors: Dtype::F32 };

/// As it runs on a GPU.
const HALF: Precision =
    Precision { weights: Compute::Bf16, cache: Dtype::Bf16, factors: Dtype::Bf16 };

/// The scratch buffers of the engine, with NaN in them.
fn scratch(cuda: &mut Cuda<Emulator>, config: &ModelConfig, tokens: usize) -> [Buffer<Memory>; 5] {
    buffers(config, tokens, Dtype::Bf16).map(|(elements, dtype)| {
        let put: Put<Cuda<Emulator>> = if dtype == Dtype::Bf16 { put_bf16 } else { Transfer::put };
        put(cuda, &vec![f32::NAN; elements])
    })
}

/// A model with slots.
fn load<'c>(
    checkpoint: &'c Checkpoint,
    Precision { weights, cache, factors }: Precision,
    extents: (usize, usize),
    options: Options,
) -> Loaded<'c, Cuda<Emulator>> {
    let backend = Cuda::new(Emulator::new(options));
    let loaded = Loaded::new(checkpoint, weights, extents, backend, |cuda, elements| {
        let mut buffer = cuda.buffer(elements, cache).expect("memory");
        cuda.upload(&vec![f32::NAN; elements], &mut buffer).expect("an upload");
        buffer
    });
    if factors == Dtype::Bf16 { loaded.scratch(scratch) } else { loaded }
}

/// Root mean square of the difference, relative to that of the expected values.
fn relative(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let error = square(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (error / square(&mut expected.iter().copied())).sqrt()
}
