//! What goes into products may be written in bf16 at once: the bits of results in f32, rounded.

use longseq_core::numeric::compute::Compute;
use longseq_cuda::CudaError;
use longseq_tests::products;
use longseq_tests::rows::{Operation, bits, case, case_of};
use longseq_tests::transfer::{Transfer, put_bf16, rounded};
use proptest::prelude::*;

use super::emulated;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn outputs_of_bf16_are_near_the_reference(case in case(), seed: u64) {
        for (name, mut cuda) in emulated(seed) {
            for operation in Operation::before_products(case.groups) {
                case.check_bf16((&name, &mut cuda), operation)?;
            }
        }
    }

    /// Of what is worked on in place the x is the same in both.
    #[test]
    fn outputs_of_bf16_are_those_of_f32_rounded(case in case(), seed: u64) {
        let case = case.rounded();
        for (name, mut cuda) in emulated(seed).skip(4) {
            for operation in Operation::before_products(case.groups) {
                let exact = case.run((&mut cuda, Transfer::put), operation, Compute::F32);
                let found = case.run((&mut cuda, put_bf16), operation, Compute::F32);
                prop_assert!(bits(&found) == bits(&rounded(&exact)), "{:?} on {}", operation, name);
            }
        }
    }

    #[test]
    fn factors_of_bf16_are_not_rounded_again(case in products::case()) {
        for (name, mut cuda) in emulated(0).skip(4) {
            let (rows, compute) = (0..case.dims.rows, Compute::Bf16);
            let expected = case.run(&mut cuda, compute, rows.clone());
            let found = case.run_of((&mut cuda, put_bf16), compute, rows.clone()).unwrap();
            prop_assert!(bits(&found) == bits(&expected), "{}", name);
            // Beside a matrix of f32 they are refused, before a bias is written.
            let refused = case.run_of((&mut cuda, put_bf16), Compute::F32, rows);
            let of_x = matches!(refused, Err(CudaError::Dtype { operand: "x", .. }));
            prop_assert!(of_x, "{:?} on {}", refused, name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1))]

    /// More than a thread keeps in registers.
    #[test]
    fn wide_outputs_of_bf16_are_those_of_f32_rounded(case in case_of(Just((8205, 5)), 2..3_usize)) {
        let case = case.rounded();
        for (name, mut cuda) in emulated(0).skip(4) {
            for operation in Operation::before_products(case.groups) {
                let exact = case.run((&mut cuda, Transfer::put), operation, Compute::F32);
                let found = case.run((&mut cuda, put_bf16), operation, Compute::F32);
                prop_assert!(bits(&found) == bits(&rounded(&exact)), "{:?} on {}", operation, name);
            }
        }
    }
}
