//! Operands that do not fit are refused before anything is written.

use longseq_core::backend::{
    Columns, GatedLinearUnit, GatedRmsNorm, GatherRows, LowRankMap, RmsNorm, SoftCap, SquaredRelu,
};
use longseq_core::numeric::activation::{Activation, GluDims};
use longseq_core::numeric::low_rank::LowRankDims;
use longseq_core::numeric::norm::{GatedNormDims, NormDims};
use longseq_cuda::CudaError;
use longseq_tests::rows::{RANK, Weights, bytes, refusals};
use longseq_tests::transfer::{Transfer, put_bf16};

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

/// Of f32 is whatever is summed, added to, gated by or carried; only what goes into products may be bf16.
#[test]
fn what_is_of_another_type_is_refused() {
    use longseq_core::numeric::compute::Compute;
    let stored = bytes(&[1.0; 12]);
    for (_, mut cuda) in emulated(0) {
        let weights = Weights::new(1, &stored).taken(&mut cuda, Compute::F32);
        let (half, single) = (&put_bf16(&mut cuda, &[7.0]), &cuda.put(&[7.0]));
        let (mut x, mut out) = (cuda.put(&[7.0]), put_bf16(&mut cuda, &[7.0]));
        let columns = |buffer| Columns::all(buffer, 1);
        let norm = NormDims { rows: 1, width: 1, epsilon: 1e-5 };
        let gated = GatedNormDims { rows: 1, width: 1, groups: 1, epsilon: 1e-5 };
        let (activation, rows, width) = (Activation::Silu, 1, 1);
        let glu = |accumulate| GluDims { rows, width, activation, accumulate };
        let map = LowRankDims { rows, inputs: 1, rank: RANK, outputs: 1 };
        let results = [
            cuda.rms_norm(&norm, half, &weights.weight, false, &mut x),
            cuda.gated_rms_norm(&gated, &mut x, columns(half), &weights.weight),
            cuda.gated_linear_unit(&glu(false), columns(half), columns(half), &mut x),
            cuda.gated_linear_unit(&glu(true), columns(single), columns(single), &mut out),
            cuda.squared_relu(1, 1, Columns::all(&mut out, 1)),
            cuda.soft_cap(1, 1.0, &mut out),
            cuda.gather_rows(1, &[0], half, &mut x),
            cuda.gather_rows(1, &[0], single, &mut out),
            cuda.low_rank(&map, columns(half), &weights.low_rank, Columns::all(&mut x, 1)),
            cuda.low_rank(&map, columns(single), &weights.low_rank, Columns::all(&mut out, 1)),
        ];
        for (number, result) in results.into_iter().enumerate() {
            let typed = matches!(result, Err(CudaError::Dtype { .. }));
            assert!(typed, "number {number}: {result:?}");
        }
        assert_eq!((cuda.get(&x), cuda.get(&out)), (vec![7.0], vec![7.0]), "nothing is written");
    }
}
