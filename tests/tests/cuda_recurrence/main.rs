//! The CUDA backend's operations with a carried state, with the shipped kernels.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod causal_conv1d;
mod faults;
mod rg_lru;
mod rounding;
mod shapes;
mod ssd;
mod token_shift;
mod wkv6;

use longseq_core::numeric::compute::Compute;
use longseq_tests::device::{self, either, emulated};
use longseq_tests::recurrence::{Inputs, Operation, bound, is_near_anyhow, is_the_same_anyhow};
use proptest::prelude::TestCaseError;

/// The same bits, cut at multiples of `grid` and beside whatever else, of an operation with products. On a GPU how these are
/// summed is cuBLASLt's choice, which depends on how many rows there are: there it is held to the reference instead.
fn products_are_the_same_anyhow(
    op: &impl Operation,
    inputs: &Inputs,
    seed: u64,
    compute: Compute,
    grid: usize,
) -> Result<(), TestCaseError> {
    if device::is_gpu() {
        return is_near_anyhow(op, inputs, either(seed), compute, bound(compute));
    }
    is_the_same_anyhow(op, inputs, either(seed), compute, grid)
}
