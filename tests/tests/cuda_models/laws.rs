//! A sequence's logits hardly depend on where it is cut, on what is beside it, or on where it was forked.

use longseq_core::hybrid::config::Recurrence;
use longseq_core::numeric::tensor::Dtype;
use longseq_cuda_emulator::{Options, Order};
use longseq_tests::golden::{NAMES, cases};

use super::{HALF, Precision, SINGLE, load, relative};

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

/// Norms, gated linear units and attention were rounded before a product anyhow: only the place has changed. The output of
/// Mamba-2's scan is rounded once more, before the norm that works on it in place.
#[test]
fn factors_in_bf16_round_nothing_else() {
    for case in cases(&NAMES) {
        let recurrence = case.checkpoint.config().recurrence;
        for length in [7, 64] {
            let tokens = case.golden.tokens(&format!("tokens.L{length}"));
            let expected = case.golden.reals(&format!("logits.L{length}"));
            let [wide, found] = [Dtype::F32, Dtype::Bf16].map(|factors| {
                let (precision, extents) = (Precision { factors, ..HALF }, (1, length));
                let mut model = load(&case.checkpoint, precision, extents, Options::default());
                let logits = model.all(0, &tokens).concat();
                // Of bf16 nothing is left to convert, but what the RG-LRU and RWKV-6 share with others.
                let shared = matches!(recurrence, Some(Recurrence::RgLru(_) | Recurrence::Wkv6(_)));
                let converted = model.backend().runtime().launched().contains("linear_input");
                assert_eq!(converted, factors == Dtype::F32 || shared, "{}", case.name);
                logits
            });
            let [before, after] = [&wide, &found].map(|of| relative(of, &expected));
            println!("{}, {length} tokens: {before:.2e}, then {after:.2e}", case.name);
            if matches!(recurrence, Some(Recurrence::Ssd(_))) {
                assert!(after <= 1.5 * before, "{}: {before:e}, then {after:e}", case.name);
            } else {
                assert!(wide == found, "{}", case.name);
            }
        }
    }
}
