//! Logits, greedy continuations and states against a float64 evaluation of the published equations, done from
//! the same stored weights by an independent implementation.

use longseq_core::numeric::{Real, softmax::argmax};
use longseq_tests::golden::{Case, NAMES, cases, check};
use longseq_tests::runner::Runner;

/// The goldens are float64 results stored as f32: logits reach ±15, whose rounding is 5e-7.
pub const F64_BOUND: f64 = 2e-5;
/// Independent f32 implementations land between 1e-5 and 1e-4.
pub const F32_BOUND: f64 = 2e-3;

fn check_logits<R: Real>(case: &Case, bound: f64) {
    for length in [1, 7, 64, 200] {
        let tokens = case.golden.tokens(&format!("tokens.L{length}"));
        let mut runner = Runner::<R>::new(&case.checkpoint, 1, length);
        let logits = runner.all(0, &tokens).concat();
        check(case, &format!("logits.L{length}"), &logits, bound);
    }
}

/// Prefills a prompt, then decodes one token a call with the carried state; compares with the golden
/// `<name>.L<length>`.
pub fn check_greedy<R: Real>(case: &Case, name: &str, bound: f64) {
    for length in [7, 64] {
        let name = format!("{name}.L{length}");
        let prompt = case.golden.tokens(&format!("tokens.L{length}"));
        let expected = case.golden.tokens(&format!("{name}.tokens"));
        let mut runner = Runner::<R>::new(&case.checkpoint, 1, length + expected.len());
        let mut rows = vec![runner.last(0, &prompt)];
        let mut tokens = vec![];
        while tokens.len() < expected.len() {
            let best = argmax(&rows[rows.len() - 1]).expect("numbers");
            tokens.push(u32::try_from(best).expect("a token id"));
            if tokens.len() < expected.len() {
                rows.push(runner.last(0, &tokens[tokens.len() - 1..]));
            }
        }
        assert_eq!(tokens, expected, "{}: {name}", case.name);
        check(case, &format!("{name}.logits"), &rows.concat(), bound);
    }
}

/// Every state that the golden holds; returns how many there were.
fn check_states<R: Real>(case: &Case, bound: f64) -> usize {
    let names = case.golden.names();
    let mut checked = 0;
    for length in [7, 200] {
        let mut runner = Runner::<R>::new(&case.checkpoint, 1, length);
        runner.last(0, &case.golden.tokens(&format!("tokens.L{length}")));
        for layer in 0..runner.config().layers {
            let places = runner.places(layer);
            let (keys, values) = runner.keys_and_values(layer, 0);
            for (kind, found) in [
                ("conv", runner.recurrent(places.inputs, 0)),
                ("att_x", runner.recurrent(places.inputs, 0)),
                ("ssm", runner.recurrent(places.recurrence, 0)),
                ("rg_lru", runner.recurrent(places.recurrence, 0)),
                ("wkv", runner.recurrent(places.recurrence, 0)),
                ("ffn_x", runner.recurrent(places.feed_forward, 0)),
                ("k", keys),
                ("v", values),
            ] {
                let name = format!("state.L{length}.layer{layer}.{kind}");
                if names.contains(&name) {
                    check(case, &name, &found, bound);
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, names.iter().filter(|name| name.starts_with("state.")).count());
    checked
}

#[test]
fn f64_equals_the_equations() {
    for case in cases(&NAMES) {
        check_logits::<f64>(&case, F64_BOUND);
        check_greedy::<f64>(&case, "greedy", F64_BOUND);
        assert!(check_states::<f64>(&case, F64_BOUND) > 0, "{}", case.name);
    }
}

#[test]
fn f32_is_close_to_the_equations() {
    for case in cases(&NAMES) {
        check_logits::<f32>(&case, F32_BOUND);
        check_greedy::<f32>(&case, "greedy", F32_BOUND);
        assert!(check_states::<f32>(&case, F32_BOUND) > 0, "{}", case.name);
    }
}
