//! Rows of tables and of activations, exactly.

use longseq_core::backend::{Embedding, EmbeddingDims, GatherRows};
use longseq_core::hybrid::map::MapWeights as _;
use longseq_core::numeric::tensor::{Dtype, Tensor};
use longseq_core::reference::Reference;
use longseq_cpu::{
    Cpu,
    isa::Isa,
    weight::{Compute, Pack},
};
use proptest::prelude::*;

use longseq_tests::rows::{bits, stored};

proptest! {
    #[test]
    fn rows_of_a_table_are_decoded_and_scaled(
        width in prop::sample::select(vec![1_usize, 2, 7, 63, 129]),
        values in prop::collection::vec(-300.0..300.0_f32, 129 * 9),
        tokens in prop::collection::vec(0..9_u32, 0..20),
        scale in prop_oneof![Just(1.0), 0.1..60.0],
    ) {
        let dims = EmbeddingDims { width, scale };
        for dtype in [Dtype::F32, Dtype::Bf16, Dtype::F16] {
            let bytes = stored(dtype, &values[..9 * width]);
            let table = Tensor::new(dtype, &[9, width], &bytes).unwrap();
            let mut expected = vec![f32::NAN; tokens.len() * width + 3];
            Reference::new(&mut []).embedding(&dims, &tokens, &table, &mut expected).unwrap();
            for isa in Isa::all() {
                let mut found = vec![f32::NAN; tokens.len() * width + 3];
                for compute in [Compute::Exact, Compute::Bf16, Compute::F32] {
                    let table = Pack::new(compute).table(&table).unwrap();
                    Cpu::new(isa).embedding(&dims, &tokens, &table, &mut found).unwrap();
                    prop_assert_eq!(bits(&found), bits(&expected));
                }
            }
        }
    }

    #[test]
    fn rows_are_gathered(
        width in prop::sample::select(vec![1_usize, 2, 7, 63, 129]),
        x in prop::collection::vec(-300.0..300.0_f32, 129 * 9),
        rows in prop::collection::vec(0..9_usize, 0..20),
    ) {
        let mut found = vec![f32::NAN; rows.len() * width];
        let x = &x[..9 * width];
        Cpu::new(Isa::best()).gather_rows(width, &rows, x, &mut found).unwrap();
        let expected: Vec<f32> =
            rows.iter().flat_map(|row| x[row * width..][..width].to_vec()).collect();
        prop_assert_eq!(found, expected);
    }
}
