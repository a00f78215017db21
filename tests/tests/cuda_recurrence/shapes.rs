//! Recurrences at the widths of published models: too much for the emulator.

use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_core::recurrence::causal_conv1d::ConvDims;
use longseq_core::recurrence::rg_lru::RgLruDims;
use longseq_core::recurrence::ssd::SsdDims;
use longseq_core::recurrence::token_shift::DdLerpDims;
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_tests::device::{either, is_skipped};
use longseq_tests::recurrence::{
    Inputs, Operation, bound, causal_conv1d, is_near, rg_lru, ssd, token_shift, wkv6,
};

/// A prompt, a shorter one and single tokens.
const LENGTHS: [usize; 4] = [200, 65, 1, 1];

/// Compares both versions with the reference.
fn at(op: &impl Operation, compute: Compute, bound: f64) {
    let inputs = Inputs::new(op, &LENGTHS, 5);
    is_near(op, &inputs, either(1), compute, bound).unwrap_or_else(|error| panic!("{error}"));
}

fn is_left_out() -> bool {
    is_skipped("recurrences at full layer shapes", true)
}

fn convolution(channels: usize, activation: Activation) {
    let dims = ConvDims { channels, width: 4, activation, prompt_leaves_outputs: false };
    at(&causal_conv1d::Convolution::random(dims, true, 3), Compute::F32, 1e-6);
}

#[test]
fn mamba2() {
    if is_left_out() {
        return;
    }
    convolution(5376, Activation::Silu);
    let scan = ssd::Scan::random(SsdDims { heads: 80, head_dim: 64, state: 128, groups: 1 }, 3);
    at(&scan, Compute::F32, 5e-3);
    let inputs = Inputs::new(&scan, &LENGTHS, 5);
    let steps = either(1).map(|(name, cuda)| (name, cuda.products_in(Dtype::F32)));
    is_near(&scan, &inputs, steps, Compute::F32, 1e-6).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn rwkv6() {
    if is_left_out() {
        return;
    }
    at(&token_shift::Fixed::random(2560, 2, 3), Compute::F32, 1e-6);
    let dependent = token_shift::Dependent::random(DdLerpDims { channels: 2560, rank: 32 }, 3);
    for compute in [Compute::F32, Compute::Bf16] {
        at(&dependent, compute, bound(compute));
    }
    at(&wkv6::Scan::random(Wkv6Dims { heads: 40, head_dim: 64 }, 3), Compute::F32, 1e-6);
}

#[test]
fn recurrentgemma() {
    if is_left_out() {
        return;
    }
    convolution(2560, Activation::Identity);
    let unit = rg_lru::Unit::random(RgLruDims { channels: 2560, blocks: 10 }, 3);
    for compute in [Compute::F32, Compute::Bf16] {
        at(&unit, compute, bound(compute));
    }
}
