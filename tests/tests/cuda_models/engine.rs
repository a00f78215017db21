//! The program's engine, which chooses the dtypes of buffers, over the emulator.

use longseq::engine::cuda::CudaEngine;
use longseq_core::numeric::compute::Compute;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::{Emulator, Options};
use longseq_tests::golden::{NAMES, cases, check};

use super::goldens::{BF16_BOUND, F32_BOUND};
use super::relative;

/// Where some matrices of a model are f32, too: its buffers must suit all products.
#[test]
fn every_precision_suits_every_model() {
    for case in cases(&NAMES) {
        let tokens = case.golden.tokens("tokens.L7");
        for compute in [Compute::Exact, Compute::Bf16, Compute::F32] {
            let backend = Cuda::new(Emulator::new(Options::default()));
            let engine = CudaEngine::new(&case.checkpoint, compute, backend, (1, 7, 7));
            let mut found: Vec<f64> = vec![];
            let read = engine.unwrap().logits((&tokens[..4], &tokens[4..]), |rows| {
                found.extend(rows.iter().map(|&x| f64::from(x)));
                Ok(())
            });
            read.unwrap();
            if compute == Compute::F32 {
                check(&case, "logits.L7", &found, F32_BOUND);
            } else {
                let error = relative(&found, &case.golden.reals("logits.L7"));
                assert!(error <= BF16_BOUND, "{} {compute:?}: {error:e} off", case.name);
            }
        }
    }
}
