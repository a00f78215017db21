//! Rows of tables and of activations, exactly.

use longseq_core::backend::{Embedding, EmbeddingDims, GatherRows};
use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;
use longseq_tests::rows::{bits, stored};
use longseq_tests::transfer::{Take, Transfer};
use proptest::prelude::*;

use super::emulated;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_of_a_table_are_decoded_and_scaled(
        width in prop::sample::select(vec![1_usize, 2, 7, 64, 129]),
        values in prop::collection::vec(-300.0..300.0_f32, 129 * 9),
        tokens in prop::collection::vec(0..9_u32, 0..20),
        scale in prop_oneof![Just(1.0), 0.1..60.0],
    ) {
        use longseq_core::hybrid::map::MapWeights;
        let dims = EmbeddingDims { width, scale };
        for dtype in [Dtype::F32, Dtype::Bf16, Dtype::F16] {
            let bytes = stored(dtype, &values[..9 * width]);
            let table = Tensor::new(dtype, &[9, width], &bytes).unwrap();
            let poison = vec![f32::NAN; tokens.len() * width + 3];
            let mut expected = poison.clone();
            Reference::new(&mut []).embedding(&dims, &tokens, &table, &mut expected).unwrap();
            for (name, mut cuda) in emulated(0) {
                for compute in [Compute::Exact, Compute::Bf16, Compute::F32] {
                    let table = cuda.take(compute).table(&table).unwrap();
                    let mut found = cuda.put(&poison);
                    cuda.embedding(&dims, &tokens, &table, &mut found).unwrap();
                    prop_assert_eq!(bits(&cuda.get(&found)), bits(&expected), "{}", name);
                }
            }
        }
    }

    #[test]
    fn rows_are_gathered(
        width in prop::sample::select(vec![1_usize, 2, 7, 64, 129]),
        x in prop::collection::vec(-300.0..300.0_f32, 129 * 9),
        rows in prop::collection::vec(0..9_usize, 0..20),
    ) {
        let x = &x[..9 * width];
        let expected: Vec<f32> =
            rows.iter().flat_map(|row| x[row * width..][..width].to_vec()).collect();
        for (name, mut cuda) in emulated(0) {
            let (x, mut found) = (cuda.put(x), cuda.put(&vec![f32::NAN; rows.len() * width]));
            cuda.gather_rows(width, &rows, &x, &mut found).unwrap();
            prop_assert_eq!(&cuda.get(&found), &expected, "{}", name);
        }
    }
}
