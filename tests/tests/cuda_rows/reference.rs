//! Every operation against `Reference<f64>`.

use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::compute::Compute;
use longseq_tests::rows::{Operation, Weights, bytes, case, case_of, run};
use proptest::prelude::*;

use super::emulated;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn operations_are_near_the_reference(case in case(), seed: u64) {
        for (name, mut cuda) in emulated(seed) {
            for operation in Operation::all(case.groups) {
                case.check((&name, &mut cuda), operation, Compute::F32)?;
            }
            case.check((&name, &mut cuda), Operation::LowRank, Compute::Bf16)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]

    /// More than a thread keeps in registers.
    #[test]
    fn wide_rows_are_near_the_reference(case in case_of(Just((8205, 5)), 1..3_usize)) {
        for (name, mut cuda) in emulated(0) {
            for operation in Operation::all(case.groups) {
                case.check((&name, &mut cuda), operation, Compute::F32)?;
            }
        }
    }
}

#[test]
fn what_is_no_number_stays_none() {
    let stored = bytes(&[1.0; 12]);
    let exact = Weights::new(1, &stored);
    let wide = [0.0, f32::NAN, 0.0, f32::NAN, 0.0, 0.0];
    for (name, mut cuda) in emulated(0) {
        let weights = exact.taken(&mut cuda, Compute::F32);
        for operation in Operation::all(1) {
            let found = run(&mut cuda, operation, &weights, (&[f32::NAN], &wide));
            // max(NaN, 0)² is 0, as the reference has it.
            let expected = operation != Operation::SquaredRelu;
            let any = found.iter().take(3).any(|x| x.is_nan());
            assert_eq!(any, expected, "{operation:?}, {name}");
        }
    }
}

#[test]
fn gates_close_where_f32_ends() {
    let stored = bytes(&[1.0; 12]);
    for (name, mut cuda) in emulated(0) {
        let weights = Weights::new(1, &stored).taken(&mut cuda, Compute::F32);
        for activation in [Activation::Silu, Activation::GeluTanh, Activation::Sigmoid] {
            for gate in [-1e30, -200.0] {
                let wide = [0.0, 5.0, 0.0, gate, 0.0, 0.0];
                let operation = Operation::Gate { activation, accumulate: false };
                let found = run(&mut cuda, operation, &weights, (&[0.0], &wide));
                assert_eq!(found, [0.0], "{activation:?} of {gate}, {name}");
            }
        }
    }
}
