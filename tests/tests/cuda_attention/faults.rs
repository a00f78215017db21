//! The tests of this folder report every fault that is planted in a kernel of theirs.

use longseq_core::numeric::tensor::Dtype;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::{Emulator, Fault, Options, faults};
use longseq_tests::attention::{Case, dims, relative};
use longseq_tests::device::is_skipped;

use super::exact::{BOUND, whole_numbers};
use super::{aligned, run};

/// Whether these calls fail or give something else than expected, beyond bounds of outputs and of the cache, with this
/// fault or with none.
fn fails(case: &Case, calls: &[Vec<usize>], bounds: (f64, f64), fault: Option<&Fault>) -> bool {
    let (expected, cache) = case.reference(calls);
    Options::all(0).any(|options| {
        let emulator = Emulator::new(options);
        let mut cuda = Cuda::new(match fault {
            Some(fault) => emulator.with_fault(fault),
            None => emulator,
        });
        let Ok((found, found_cache)) = run(case, &mut cuda, Dtype::Bf16, calls) else {
            return true;
        };
        // A NaN is beyond every bound.
        let within = |found: &[f32], expected: &[f64], bound| relative(found, expected) <= bound;
        let outputs = found.iter().zip(&expected);
        !outputs.into_iter().all(|(found, expected)| within(found, expected, bounds.0))
            || !within(&found_cache, &cache, bounds.1)
    })
}

#[test]
fn every_fault_in_a_kernel_of_attention_is_reported() {
    if is_skipped("planted faults", false) {
        return;
    }
    // Many queries over a ring that is full, few queries, one query to several parts of keys beside one to a single part,
    // and rotation.
    let ring = whole_numbers((1, 2), 16, (Some(70), false), &[150, 40], 200);
    let ring_calls = [vec![80, 30], vec![150, 40]];
    let parts = whole_numbers((1, 2), 16, (None, false), &[600, 3], 700);
    let parts_calls = [vec![598, 1], vec![599, 2], vec![600, 3]];
    let rotated = aligned(Case::new(dims((1, 2), 16), 50, &[40], 1));
    let reports = |fault| {
        fails(&ring, &ring_calls, (BOUND, 0.0), fault)
            || fails(&parts, &parts_calls, (BOUND, 0.0), fault)
            || fails(&rotated, &[vec![40]], (1e-2, 3e-3), fault)
    };
    assert!(!reports(None), "the kernels as they are");
    let planted: Vec<&Fault> =
        faults().filter(|fault| fault.sources.1.starts_with("attention/")).collect();
    assert!(planted.len() >= 12);
    for fault in planted {
        assert!(reports(Some(fault)), "not reported: {}", fault.name);
    }
}
