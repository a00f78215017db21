//! Attention of the CUDA backend: the shipped kernels, run by the emulator, against the reference, and its laws.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod equivalence;
mod exact;
mod faults;
mod laws;
mod refusals;

use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::{Cuda, CudaError, Version};
use longseq_cuda_emulator::{Emulator, EmulatorError, Options, Statistics};
use longseq_tests::attention::{Case, Outcome};
use longseq_tests::transfer::{Put, Transfer, put_bf16};

type Found = Result<Outcome<f32>, CudaError<EmulatorError>>;

/// How buffers of a dtype are made.
fn put(dtype: Dtype) -> Put<Cuda<Emulator>> {
    if dtype == Dtype::Bf16 { put_bf16 } else { Transfer::put }
}

/// Runs the calls with caches of this dtype.
fn run(case: &Case, cuda: &mut Cuda<Emulator>, dtype: Dtype, calls: &[Vec<usize>]) -> Found {
    case.run_with(cuda, (put(dtype), Transfer::put), calls)
}

/// Runs the calls with the fast kernels in one order, and with no bank conflicts.
fn fast(case: &Case, options: Options, calls: &[Vec<usize>]) -> Outcome<f32> {
    let mut cuda = Cuda::new(Emulator::new(options));
    let found = run(case, &mut cuda, Dtype::Bf16, calls).expect("calls that fit");
    let Statistics { matrix_loads, bank_conflicts, .. } = *cuda.runtime().statistics();
    assert_eq!(bank_conflicts, 0, "of {matrix_loads} loads");
    found
}

/// Runs the calls with the plain kernels.
fn plain(case: &Case, dtype: Dtype, calls: &[Vec<usize>]) -> Outcome<f32> {
    let mut cuda = Cuda::new(Emulator::new(Options::default())).version(Version::Plain);
    run(case, &mut cuda, dtype, calls).expect("calls that fit")
}

/// The same case with caches that begin where the fast kernels can read them.
fn aligned(case: Case) -> Case {
    Case { beside: (8, 16), ..case }
}
