//! What does not fit is refused, and nothing is written then.

use longseq_core::backend::GroupedQueryAttention;
use longseq_core::batch::Batch;
use longseq_core::numeric::tensor::Dtype;
use longseq_core::state::{Region, StateMut};
use longseq_cuda::CudaError;
use longseq_cuda_emulator::Options;
use longseq_tests::attention::{Case, dims};
use longseq_tests::device::{self, DeviceError};
use longseq_tests::transfer::{Transfer, put_bf16};

use super::put;

/// A call of three tokens at this position of a cache, with so many elements less of q, k and v, in these dtypes of cache
/// and q, k, v; and what is in out, of bf16, afterwards.
fn call(
    position: usize,
    (dtype, qkv_dtype): (Dtype, Dtype),
    less: usize,
) -> (Result<(), CudaError<DeviceError>>, Vec<f32>) {
    let case = Case::new(dims((2, 2), 16), 5, &[3], 1);
    let (dims, kv) = (case.dims, case.kv());
    let mut cuda = device::cuda(Options::default());
    let qkv = put(qkv_dtype)(&mut cuda, &case.qkv[0][less..]);
    let mut cache = cuda.buffer(kv.elements(), dtype).unwrap();
    cuda.upload(&vec![0.5; kv.elements()], &mut cache).unwrap();
    let mut out = put_bf16(&mut cuda, &vec![0.5; 3 * dims.query_width()]);
    let batch = Batch::new(&[0; 3], &[0, 3], &[0], &[]).unwrap();
    let region = Region { offset: 0, stride: kv.elements(), elements: kv.elements() };
    let state = StateMut { buffer: &mut cache, region };
    let positions = [position];
    let found = cuda.grouped_query_attention(
        &dims,
        &batch.sequences(&positions),
        &qkv,
        &kv,
        state,
        &mut out,
    );
    (found, cuda.get(&out))
}

#[test]
fn shapes_and_dtypes_are_checked() {
    let f32s = (Dtype::F32, Dtype::F32);
    let (found, out) = call(2, f32s, 0);
    assert_eq!(found, Ok(()));
    assert!(out.iter().any(|&x| x != 0.5));
    for (position, dtypes, less) in
        [(3, f32s, 0), (usize::MAX, f32s, 0), (0, f32s, 1), (0, (Dtype::Bf16, Dtype::Bf16), 0)]
    {
        let (found, out) = call(position, dtypes, less);
        assert!(found.is_err());
        assert!(out.iter().all(|&x| x == 0.5), "nothing is written");
    }
}
