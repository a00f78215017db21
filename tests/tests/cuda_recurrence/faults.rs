//! The tests of this folder report every fault that is planted in a kernel of theirs.

use std::collections::BTreeSet;

use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_core::recurrence::causal_conv1d::ConvDims;
use longseq_core::recurrence::rg_lru::RgLruDims;
use longseq_core::recurrence::ssd::SsdDims;
use longseq_core::recurrence::wkv6::Wkv6Dims;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::{Emulator, Fault, Options, faults};
use longseq_tests::device::is_skipped;
use longseq_tests::recurrence::{
    Inputs, Operation, causal_conv1d, is_near, is_near_in, rg_lru, ssd, token_shift, wkv6,
};
use longseq_tests::transfer::put_bf16;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Whether an operation on sequences of these lengths goes wrong, with this fault or with none and a scan's products in this
/// dtype; also with outputs in bf16, if it may have those.
fn fails(
    (op, in_bf16): (&impl Operation, bool),
    lengths: &[usize],
    bound: f64,
    (fault, products_in): (Option<&Fault>, Dtype),
) -> bool {
    let inputs = Inputs::new(op, lengths, 5);
    let backends = || {
        Options::all(1).map(|options| {
            let emulator = Emulator::new(options);
            let emulator = match fault {
                Some(fault) => emulator.with_fault(fault),
                None => emulator,
            };
            (format!("{options:?}"), Cuda::new(emulator).products_in(products_in))
        })
    };
    let config = Config { cases: 1, failure_persistence: None, ..Config::default() };
    let check = |()| -> Result<(), TestCaseError> {
        is_near(op, &inputs, backends(), Compute::F32, bound)?;
        // Outputs that may be bf16 are rounded to 8 bits.
        if in_bf16 {
            is_near_in((op, put_bf16), &inputs, backends(), Compute::F32, bound + 4e-3)?;
        }
        Ok(())
    };
    // A launch that is refused panics, which the runner takes for a failure, too.
    TestRunner::new(config).run(&Just(()), check).is_err()
}

/// The same of the operation whose kernels are in a source.
fn fails_in(source: &str, fault: Option<&Fault>) -> bool {
    match source {
        "recurrence/causal_conv1d.cu" => {
            let (activation, prompt_leaves_outputs) = (Activation::Silu, false);
            let dims = ConvDims { channels: 9, width: 4, activation, prompt_leaves_outputs };
            let op = causal_conv1d::Convolution::random(dims, true, 3);
            fails((&op, false), &[5, 40, 16, 17], 1e-6, (fault, Dtype::Bf16))
        }
        "recurrence/token_shift.cu" => {
            let op = token_shift::Fixed::random(9, 2, 3);
            fails((&op, false), &[5, 40, 16, 17], 1e-6, (fault, Dtype::Bf16))
        }
        "recurrence/rg_lru.cu" => {
            let op = rg_lru::Unit::random(RgLruDims { channels: 6, blocks: 2 }, 3);
            fails((&op, false), &[300, 9], 1e-5, (fault, Dtype::Bf16))
        }
        "recurrence/wkv6.cu" => {
            let op = wkv6::Scan::random(Wkv6Dims { heads: 1, head_dim: 64 }, 3);
            fails((&op, false), &[37, 2], 1e-6, (fault, Dtype::F32))
        }
        "recurrence/wkv6_chunk.cu" => {
            let op = wkv6::Scan::random(Wkv6Dims { heads: 1, head_dim: 64 }, 3);
            fails((&op, false), &[150, 2], 5e-3, (fault, Dtype::Bf16))
        }
        "recurrence/ssd_chunk.cu" => {
            let dims = SsdDims { heads: 1, head_dim: 64, state: 64, groups: 1 };
            fails((&ssd::Scan::random(dims, 3), true), &[150, 2], 5e-3, (fault, Dtype::Bf16))
        }
        _ => panic!("no test of {source}"),
    }
}

#[test]
fn every_fault_in_a_recurrence_is_reported() {
    if is_skipped("planted faults", false) {
        return;
    }
    let planted: Vec<&Fault> =
        faults().filter(|fault| fault.sources.1.starts_with("recurrence/")).collect();
    assert!(planted.len() >= 28);
    for source in planted.iter().map(|fault| fault.sources.1).collect::<BTreeSet<_>>() {
        assert!(!fails_in(source, None), "{source} as it is");
    }
    for fault in planted {
        assert!(fails_in(fault.sources.1, Some(fault)), "not reported: {}", fault.name);
    }
}
