//! Products with loaded weights.

use longseq_core::numeric::compute::Compute;
use longseq_cuda::{Cuda, runtime::Runtime};
use longseq_tests::products::{Case, case, whole_numbers};
use longseq_tests::rows::widen;
use proptest::prelude::*;

use super::emulated;

/// Compares a backend's product with the exact one.
pub fn check<R: Runtime>(
    cuda: &mut Cuda<R>,
    compute: Compute,
    case: &Case,
) -> Result<(), TestCaseError> {
    let all: Vec<usize> = (0..case.dims.rows).collect();
    check_rows(cuda, compute, case, &all)
}

/// Compares some rows of a backend's product with the exact ones.
pub fn check_rows<R: Runtime>(
    cuda: &mut Cuda<R>,
    compute: Compute,
    case: &Case,
    rows: &[usize],
) -> Result<(), TestCaseError> {
    let compared = case.only(rows);
    let (expected, size) = (compared.reference(), compared.magnitudes());
    let bound = if compute == Compute::Bf16 { 1e-2 } else { 1e-5 };
    let all = case.run(cuda, compute, 0..case.dims.rows);
    let found = rows.iter().flat_map(|row| &all[row * case.dims.outputs..][..case.dims.outputs]);
    for ((&found, expected), size) in found.zip(&expected).zip(&size) {
        let error = (f64::from(found) - expected).abs();
        prop_assert!(error <= bound * size, "{compute:?}: {}", error / size);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn products_are_near_the_reference(case in case()) {
        for (_, mut cuda) in emulated(0) {
            for compute in [Compute::F32, Compute::Bf16] {
                check(&mut cuda, compute, &case)?;
            }
        }
    }
}

#[test]
fn whole_numbers_come_out_exactly() {
    let case = whole_numbers();
    let expected = case.reference();
    for (name, mut cuda) in emulated(0) {
        for compute in [Compute::Exact, Compute::F32, Compute::Bf16] {
            let found = case.run(&mut cuda, compute, 0..case.dims.rows);
            assert_eq!(widen(&found), expected, "{name} {compute:?}");
        }
    }
}
