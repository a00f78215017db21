//! Whole models of every family through the shipped kernels against the goldens.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod engine;
mod goldens;
mod laws;
mod recorded;
mod self_check;
mod trained;

use longseq::checkpoint::Checkpoint;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::Options;
use longseq_tests::device::{self, Device};
use longseq_tests::loaded::Loaded;

/// In which precisions a model is run.
#[derive(Clone, Copy, Debug)]
struct Precision {
    weights: Compute,
    cache: Dtype,
}

/// Everything in f32.
const SINGLE: Precision = Precision { weights: Compute::F32, cache: Dtype::F32 };

/// As it runs on a GPU.
const HALF: Precision = Precision { weights: Compute::Bf16, cache: Dtype::Bf16 };

/// A model with slots.
fn load<'c>(
    checkpoint: &'c Checkpoint,
    Precision { weights, cache }: Precision,
    extents: (usize, usize),
    options: Options,
) -> Loaded<'c, Cuda<Device>> {
    Loaded::new(checkpoint, weights, extents, device::cuda(options), |cuda, elements| {
        let mut buffer = cuda.buffer(elements, cache).expect("memory");
        cuda.upload(&vec![f32::NAN; elements], &mut buffer).expect("an upload");
        buffer
    })
}

/// Root mean square of the difference, relative to that of the expected values.
fn relative(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let error = square(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (error / square(&mut expected.iter().copied())).sqrt()
}
