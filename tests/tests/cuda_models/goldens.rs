//! Logits and greedy continuations against a float64 evaluation of the published equations.

use longseq_core::numeric::softmax::argmax;
use longseq_cuda_emulator::Options;
use longseq_tests::golden::{Case, NAMES, cases, check};

use super::{HALF, Precision, SINGLE, load, relative};

/// As for every backend that computes in f32.
pub const F32_BOUND: f64 = 2e-3;
/// Relative RMS, as of the CPU backend.
pub const BF16_BOUND: f64 = 2e-2;

fn logits(case: &Case, length: usize, precision: Precision, options: Options) -> Vec<f64> {
    let tokens = case.golden.tokens(&format!("tokens.L{length}"));
    let mut model = load(&case.checkpoint, precision, (1, length), options);
    let logits = model.all(0, &tokens).concat();
    // Nothing is left to the plain kernels but heads of sizes that published models do not have, and attention in f32.
    let plain = model.backend().runtime().launched().iter().filter(|name| name.ends_with("_ref"));
    let plain: Vec<&str> = plain.copied().collect();
    let allowed = ["ssd_ref", "wkv6_ref", "grouped_query_attention_ref"];
    assert!(plain.iter().all(|name| allowed.contains(name)), "{}: {plain:?}", case.name);
    logits
}

#[test]
fn logits_are_near_the_goldens() {
    for case in cases(&NAMES) {
        for (length, options) in [1, 7, 64, 200].into_iter().zip(Options::all(7).step_by(2)) {
            let name = format!("logits.L{length}");
            check(&case, &name, &logits(&case, length, SINGLE, options), F32_BOUND);
            let expected = case.golden.reals(&name);
            let error = relative(&logits(&case, length, HALF, options), &expected);
            println!("{}: {name} in bf16: {error:.2e}", case.name);
            assert!(error <= BF16_BOUND, "{}: {name} in bf16 is {error:e} off", case.name);
        }
    }
}

#[test]
fn greedy_tokens_are_the_goldens() {
    for case in cases(&NAMES) {
        for length in [7, 64] {
            let name = format!("greedy.L{length}");
            let prompt = case.golden.tokens(&format!("tokens.L{length}"));
            let expected = case.golden.tokens(&format!("{name}.tokens"));
            let extents = (1, length + expected.len());
            let mut model = load(&case.checkpoint, SINGLE, extents, Options::default());
            let mut rows = vec![model.last(0, &prompt)];
            let mut tokens = vec![];
            while tokens.len() < expected.len() {
                let best = argmax(&rows[rows.len() - 1]).expect("numbers");
                tokens.push(u32::try_from(best).expect("a token id"));
                if tokens.len() < expected.len() {
                    rows.push(model.last(0, &tokens[tokens.len() - 1..]));
                }
            }
            assert_eq!(tokens, expected, "{}: {name}", case.name);
            check(&case, &format!("{name}.logits"), &rows.concat(), F32_BOUND);
        }
    }
}
