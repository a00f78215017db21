//! Clearing and copying within a slab, of both types.

use longseq_core::backend::StateMemory;
use longseq_core::numeric::tensor::Dtype;

use super::emulated;

#[test]
fn ranges_are_cleared_and_copied() {
    for (_, mut cuda) in emulated(0) {
        for dtype in [Dtype::F32, Dtype::Bf16] {
            let mut slab = cuda.buffer(6, dtype).unwrap();
            let mut values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
            cuda.upload(&values, &mut slab).unwrap();
            cuda.copy_within(&mut slab, 0..3, 2).unwrap();
            cuda.download(&slab, &mut values).unwrap();
            assert_eq!(values, [1.0, 2.0, 1.0, 2.0, 3.0, 6.0]);
            cuda.copy_within(&mut slab, 4..6, 0).unwrap();
            cuda.clear(&mut slab, 1..3).unwrap();
            cuda.clear(&mut slab, 6..6).unwrap();
            cuda.copy_within(&mut slab, 6..6, 6).unwrap();
            cuda.download(&slab, &mut values).unwrap();
            assert_eq!(values, [3.0, 0.0, 0.0, 2.0, 3.0, 6.0]);
        }
    }
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "refused")]
fn ranges_beyond_the_slab_are_refused() {
    for (_, mut cuda) in emulated(0) {
        let mut slab = cuda.buffer(4, Dtype::F32).unwrap();
        cuda.upload(&[1.0, 2.0, 3.0, 4.0], &mut slab).unwrap();
        for range in [0..5, 5..5, 3..usize::MAX, 3..2, usize::MAX..0] {
            assert!(cuda.clear(&mut slab, range.clone()).is_err(), "{range:?}");
            assert!(cuda.copy_within(&mut slab, range.clone(), 0).is_err(), "{range:?}");
        }
        for to in [3, 4, usize::MAX] {
            assert!(cuda.copy_within(&mut slab, 0..2, to).is_err(), "{to}");
        }
        let mut values = [0.0; 4];
        cuda.download(&slab, &mut values).unwrap();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0]);
    }
}
