//! What goes into a gated norm and a product may be written in bf16 at once: the bits of results in f32, rounded, and the
//! same states.

use longseq_core::numeric::compute::Compute;
use longseq_core::numeric::tensor::Dtype;
use longseq_core::recurrence::ssd::SsdDims;
use longseq_tests::recurrence::{Inputs, Operation, Outputs, ssd};
use longseq_tests::transfer::{Transfer, put_bf16, rounded};

use super::either;

fn check(op: &impl Operation, lengths: &[usize]) {
    let inputs = Inputs::new(op, lengths, 5);
    let calls = inputs.whole(op);
    for products in [Dtype::Bf16, Dtype::F32] {
        for (name, cuda) in either(1) {
            let mut cuda = cuda.products_in(products);
            let weights = op.taken(&mut cuda, Compute::F32);
            let exact = inputs.run_in((op, &weights), (&mut cuda, Transfer::put), &calls);
            let found = inputs.run_in((op, &weights), (&mut cuda, put_bf16), &calls);
            let expected = exact.rows.iter().map(|rows| rounded(rows)).collect();
            let same = found == Outputs { rows: expected, ..exact };
            assert!(same, "{name}, products in {products}");
        }
    }
}

#[test]
fn outputs_of_bf16_are_those_of_f32_rounded() {
    for (head_dim, state) in [(64, 64), (64, 128), (5, 3)] {
        let dims = SsdDims { heads: 2, head_dim, state, groups: 1 };
        check(&ssd::Scan::random(dims, 3), &[150, 1, 2]);
    }
}
