//! Every operation against `Reference<f64>`.

use longseq_core::numeric::activation::Activation;
use longseq_core::numeric::compute::Compute;
use longseq_cpu::{Cpu, isa::Isa};
use longseq_tests::rows::{Operation, Weights, bytes, case, run};
use proptest::prelude::*;

proptest! {
    #[test]
    fn operations_are_near_the_reference(case in case()) {
        for isa in Isa::all() {
            for operation in Operation::all(case.groups) {
                case.check((&isa, &mut Cpu::new(isa)), operation, Compute::F32)?;
            }
            case.check((&isa, &mut Cpu::new(isa)), Operation::LowRank, Compute::Bf16)?;
        }
    }
}

#[test]
fn what_is_no_number_stays_none() {
    let stored = bytes(&[1.0; 12]);
    let exact = Weights::new(1, &stored);
    let packed = exact.taken(&mut Cpu::new(Isa::best()), Compute::F32);
    let wide = [0.0, f32::NAN, 0.0, f32::NAN, 0.0, 0.0];
    for isa in Isa::all() {
        for operation in Operation::all(1) {
            let found = run(&mut Cpu::new(isa), operation, &packed, (&[f32::NAN], &wide));
            // max(NaN, 0)² is 0, as the reference has it.
            let expected = operation != Operation::SquaredRelu;
            // Those of three columns: the fifth of `wide` is no business of this operation.
            let any = found.iter().take(3).any(|x| x.is_nan());
            assert_eq!(any, expected, "{operation:?} on {isa}");
        }
    }
}

#[test]
fn gates_close_where_f32_ends() {
    let stored = bytes(&[1.0; 12]);
    let packed = Weights::new(1, &stored).taken(&mut Cpu::new(Isa::best()), Compute::F32);
    for isa in Isa::all() {
        for activation in [Activation::Silu, Activation::GeluTanh, Activation::Sigmoid] {
            for gate in [-1e30, -200.0] {
                let wide = [0.0, 5.0, 0.0, gate, 0.0, 0.0];
                let operation = Operation::Gate { activation, accumulate: false };
                let found = run(&mut Cpu::new(isa), operation, &packed, (&[0.0], &wide));
                assert_eq!(found, [0.0], "{activation:?} of {gate} on {isa}");
            }
        }
    }
}
