//! Operands that do not fit are refused before anything is written.

use longseq_core::backend::{RmsNorm, SoftCap};
use longseq_core::numeric::norm::NormDims;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::CudaError;
use longseq_tests::rows::{Weights, bytes, refusals};
use longseq_tests::transfer::Transfer;

use super::emulated;

#[test]
fn what_does_not_fit_is_refused() {
    for (_, mut cuda) in emulated(0) {
        refusals::norms(&mut cuda);
        refusals::gated_norms(&mut cuda);
        refusals::activations(&mut cuda);
        refusals::tables(&mut cuda);
        refusals::maps(&mut cuda);
    }
}

#[test]
fn what_is_of_another_type_is_refused() {
    use longseq_core::numeric::compute::Compute;
    let stored = bytes(&[1.0; 12]);
    for (_, mut cuda) in emulated(0) {
        let weights = Weights::new(1, &stored).taken(&mut cuda, Compute::F32);
        let (mut x, mut half) = (cuda.put(&[1.0]), cuda.buffer(1, Dtype::Bf16).unwrap());
        let dims = NormDims { rows: 1, width: 1, epsilon: 1e-5 };
        let read = cuda.rms_norm(&dims, &half, &weights.weight, false, &mut x);
        let written = cuda.rms_norm(&dims, &x, &weights.weight, false, &mut half);
        for result in [read, written, cuda.soft_cap(1, 1.0, &mut half)] {
            assert!(matches!(result, Err(CudaError::Dtype { .. })), "{result:?}");
        }
    }
}
