//! Rows and products at the widths of published models: too much for the emulator.

use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::linear::LinearDims;
use longseq_tests::device::{either, is_skipped};
use longseq_tests::products;
use longseq_tests::recurrence::noise;
use longseq_tests::rows::{Operation, case_of};
use proptest::prelude::*;

use super::{argmax, linear};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Norms, gates and maps of 2560 channels, of Mamba-2's 5120, of the heads of RWKV-6, and of RecurrentGemma's MLP.
    #[test]
    fn rows(
        case in case_of(prop::sample::select(vec![(2560, 1), (5120, 1), (2560, 40), (7680, 1)]), Just(33))
    ) {
        if is_skipped("rows at full layer shapes", true) {
            return Ok(());
        }
        for (name, mut cuda) in either(1) {
            for operation in Operation::all(case.groups) {
                case.check((&name, &mut cuda), operation, Compute::F32)?;
            }
        }
    }
}

/// Inputs and outputs of the projections at 2.7B parameters, as in benches/gpu/main.rs, whose heads are the widest.
const PROJECTIONS: [(usize, usize); 7] = [
    (2560, 10576),
    (5120, 2560),
    (2560, 13824),
    (6912, 2560),
    (2560, 8960),
    (8960, 2560),
    (2560, 50288),
];

#[test]
fn products() {
    if is_skipped("products at full layer shapes", true) {
        return;
    }
    for (inputs, outputs) in PROJECTIONS {
        for rows in [1, 130] {
            let dims = LinearDims { rows, inputs, outputs, accumulate: rows > 1 };
            let (x, weight) = (noise(1, rows * inputs), noise(2, outputs * inputs));
            let case = products::Case { dims, x, weight, bias: None };
            for (_, mut cuda) in either(1).skip(1) {
                for compute in [Compute::F32, Compute::Bf16] {
                    let found = linear::check_rows(&mut cuda, compute, &case, &[rows / 2]);
                    found.unwrap_or_else(|error| panic!("{dims:?}: {error}"));
                }
            }
        }
    }
}

#[test]
fn choices() {
    if is_skipped("the greedy choice at full layer shapes", true) {
        return;
    }
    for vocabulary in [50288, 65536, 256_000] {
        for (name, mut cuda) in either(1) {
            let found = argmax::check(&mut cuda, &(vocabulary, noise(3, 5 * vocabulary)));
            found.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
