//! The greedy choice.

use longseq_core::numeric::softmax::argmax;
use longseq_cuda::{Cuda, CudaError, runtime::Runtime};
use longseq_tests::transfer::Transfer;
use proptest::prelude::*;

use super::emulated;

/// Rows of few values, so that many are equal; infinities and, in some rows, a NaN.
pub fn rows() -> impl Strategy<Value = (usize, Vec<f32>)> {
    let width = prop::sample::select(vec![1_usize, 3, 31, 64, 129, 1025]);
    (width, 1..4_usize).prop_flat_map(|(width, rows)| {
        let most = (width as u32).saturating_mul(20);
        let value = prop_oneof![
            most => (0..40).prop_map(|x| x as f32 / 4.0 - 5.0),
            1 => Just(f32::NAN),
            5 => Just(f32::INFINITY),
            5 => Just(f32::NEG_INFINITY),
        ];
        prop::collection::vec(value, rows * width).prop_map(move |x| (width, x))
    })
}

/// Compares a backend's choices with the reference's.
pub fn check<R: Runtime>(
    cuda: &mut Cuda<R>,
    (width, x): &(usize, Vec<f32>),
) -> Result<(), TestCaseError> {
    let expected: Vec<Option<usize>> = x.chunks(*width).map(argmax).collect();
    let held = cuda.put(x);
    let found = cuda.argmax((expected.len(), *width), &held);
    let found = found.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(found, expected);
    Ok(())
}

proptest! {
    #[test]
    fn the_largest_is_found(rows in rows(), seed: u64) {
        for (_, mut cuda) in emulated(seed) {
            check(&mut cuda, &rows)?;
        }
    }
}

#[test]
fn all_of_one_value_and_none_at_all() {
    for (_, mut cuda) in emulated(0) {
        for value in [f32::NEG_INFINITY, f32::INFINITY, 0.0] {
            check(&mut cuda, &(130, vec![value; 260])).unwrap();
        }
        let x = cuda.put(&[1.0; 6]);
        assert_eq!(cuda.argmax((2, 0), &x).unwrap(), [None, None]);
        assert_eq!(cuda.argmax((0, 6), &x).unwrap(), []);
        assert!(matches!(cuda.argmax((2, 4), &x), Err(CudaError::Shape(_))));
    }
}
