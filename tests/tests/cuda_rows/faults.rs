//! The tests of this folder report every fault that is planted in a kernel of theirs.

use longseq_core::numeric::compute::Compute;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::{Emulator, Fault, Options, faults};
use longseq_tests::device::is_skipped;
use longseq_tests::{products, rows};
use proptest::test_runner::{Config, TestRunner};

use super::{argmax, linear};

/// Whether a test of the kernels in `source` fails, with this fault or with none.
fn fails(source: &str, fault: Option<&Fault>) -> bool {
    let backends = || {
        Options::orders(0).map(|options| {
            let emulator = Emulator::new(options);
            Cuda::new(match fault {
                Some(fault) => emulator.with_fault(fault),
                None => emulator,
            })
        })
    };
    let operations = |case: rows::Case| {
        for mut cuda in backends() {
            for operation in rows::Operation::all(case.groups) {
                case.check((&source, &mut cuda), operation, Compute::F32)?;
            }
            for operation in rows::Operation::before_products(case.groups) {
                case.check_bf16((&source, &mut cuda), operation)?;
            }
        }
        Ok(())
    };
    let products = |case: products::Case| {
        backends().try_for_each(|mut cuda| linear::check(&mut cuda, Compute::Bf16, &case))
    };
    let choices = |rows| backends().try_for_each(|mut cuda| argmax::check(&mut cuda, &rows));
    let config =
        Config { cases: 24, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config.clone(), TestRunner::deterministic().rng().clone());
    match source {
        "numeric/linear.cu" => runner.run(&products::case(), products).is_err(),
        "numeric/softmax.cu" => runner.run(&argmax::rows(), choices).is_err(),
        _ => runner.run(&rows::case(), operations).is_err(),
    }
}

#[test]
fn every_fault_in_a_kernel_on_rows_is_reported() {
    if is_skipped("planted faults", false) {
        return;
    }
    let planted: Vec<&Fault> =
        faults().filter(|fault| fault.sources.1.starts_with("numeric/")).collect();
    assert!(planted.len() >= 12);
    for fault in planted {
        let source = fault.sources.1;
        assert!(!fails(source, None), "{source} as it is");
        assert!(fails(source, Some(fault)), "not reported: {}", fault.name);
    }
}
