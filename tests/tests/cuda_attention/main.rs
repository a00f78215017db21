//! Attention of the CUDA backend, with the shipped kernels, against the reference, and its laws.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod equivalence;
mod exact;
mod faults;
mod laws;
mod refusals;
mod shapes;

use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::runtime::Runtime;
use longseq_cuda::{Cuda, CudaError, Version};
use longseq_cuda_emulator::{Options, Statistics};
use longseq_tests::attention::{Case, Outcome};
use longseq_tests::device;
use longseq_tests::transfer::{Put, Transfer, put_bf16};

/// How buffers of a dtype are made.
fn put<R: Runtime>(dtype: Dtype) -> Put<Cuda<R>> {
    if dtype == Dtype::Bf16 { put_bf16 } else { Transfer::put }
}

/// Runs the calls with caches of this dtype.
fn run<R: Runtime>(
    case: &Case,
    cuda: &mut Cuda<R>,
    dtype: Dtype,
    calls: &[Vec<usize>],
) -> Result<Outcome<f32>, CudaError<R::Error>> {
    case.run_with(cuda, (put(dtype), Transfer::put), calls)
}

/// Runs the calls with the fast kernels in one order, and in the emulator with no bank conflicts.
fn fast(case: &Case, options: Options, calls: &[Vec<usize>]) -> Outcome<f32> {
    let mut cuda = device::cuda(options);
    let found = run(case, &mut cuda, Dtype::Bf16, calls).expect("calls that fit");
    if let Some(Statistics { matrix_loads, bank_conflicts, .. }) = cuda.runtime().statistics() {
        assert_eq!(*bank_conflicts, 0, "of {matrix_loads} loads");
    }
    found
}

/// Runs the calls with the plain kernels.
fn plain(case: &Case, dtype: Dtype, calls: &[Vec<usize>]) -> Outcome<f32> {
    let mut cuda = device::cuda(Options::default()).version(Version::Plain);
    run(case, &mut cuda, dtype, calls).expect("calls that fit")
}

/// The same case with caches that begin where the fast kernels can read them.
fn aligned(case: Case) -> Case {
    Case { beside: (8, 16), ..case }
}
