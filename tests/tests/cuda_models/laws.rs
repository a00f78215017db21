//! A sequence's logits hardly depend on where it is cut, on what is beside it, or on where it was forked.

use longseq_cuda_emulator::{Options, Order};
use longseq_tests::golden::{NAMES, cases};

use super::{HALF, SINGLE, load, relative};

#[test]
fn splits_batches_and_forks_make_no_difference() {
    let options = Options { order: Order::Random, ..Options::default() };
    for case in cases(&NAMES) {
        let tokens = case.golden.tokens("tokens.L64");
        let beside = case.golden.tokens("tokens.L7");
        for (precision, bound) in [(SINGLE, 1e-4), (HALF, 2e-2)] {
            let whole = load(&case.checkpoint, precision, (1, 64), options).last(0, &tokens);
            // In two calls, with another sequence beside the first, forked between them.
            let mut model = load(&case.checkpoint, precision, (4, 80), options);
            let (prompt, rest) = tokens.split_at(37);
            model.forward(&[(2, &beside), (1, prompt)], &[]).unwrap();
            model.with(|state, backend| state.copy(backend, 1, 3)).unwrap();
            for slot in [1, 3] {
                let rows = [beside.len() + rest.len() - 1];
                let found = model.forward(&[(2, &beside), (slot, rest)], &rows).unwrap();
                let error = relative(&found[0], &whole);
                assert!(error <= bound, "{} {precision:?}: slot {slot}: {error:e}", case.name);
            }
        }
    }
}
