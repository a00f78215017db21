//! Faults of libraries, reproduced: equal to what those libraries give, and nowhere else a difference.

use longseq::quirks::Quirk;
use longseq_core::numeric::Real;
use longseq_tests::golden::{Case, cases, check, max_difference};
use longseq_tests::runner::Runner;

use super::goldens::{F32_BOUND, F64_BOUND, check_greedy};

const GEMMAS: [&str; 2] = ["recurrentgemma", "recurrentgemma-it"];

/// Positions whose logits the goldens of RecurrentGemma's faults hold.
const LAST: usize = 32;

fn with(quirk: Quirk, names: &[&str]) -> Vec<Case> {
    let mut cases = cases(names);
    for case in &mut cases {
        case.checkpoint.reproduce(&[quirk]).unwrap_or_else(|error| panic!("{error}"));
    }
    cases
}

/// The logits of the last positions of a prompt, read in one call.
fn last<R: Real>(case: &Case, length: usize) -> Vec<f64> {
    let tokens = case.golden.tokens(&format!("tokens.L{length}"));
    Runner::<R>::new(&case.checkpoint, 1, length).all(0, &tokens)[length - LAST..].concat()
}

#[test]
fn recurrent_gemma_reads_prompts_as_its_libraries_do() {
    for (quirk, name) in [
        (Quirk::Hf4RecurrentgemmaPrefill, "logits_hf4_cached"),
        (Quirk::RecurrentgemmaWindowPlusOne, "logits_dm"),
    ] {
        for case in with(quirk, &GEMMAS) {
            for length in [64, 200] {
                let name = format!("{name}.L{length}.last32");
                check(&case, &name, &last::<f64>(&case, length), F64_BOUND);
                check(&case, &name, &last::<f32>(&case, length), F32_BOUND);
                // And that is not the correct result.
                let correct = case.golden.reals(&format!("logits.L{length}"));
                let correct = &correct[correct.len() / length * (length - LAST)..];
                assert!(max_difference(correct, &case.golden.reals(&name)) > 0.1, "{name}");
            }
        }
    }
}

#[test]
fn the_hybrid_generates_as_mamba_ssm_does() {
    for case in with(Quirk::MambaSsmHybridConvState, &["mamba2attn"]) {
        check_greedy::<f64>(&case, "quirk_mamba_ssm_cached", F64_BOUND);
        check_greedy::<f32>(&case, "quirk_mamba_ssm_cached", F32_BOUND);
        let (quirk, correct) = ["quirk_mamba_ssm_cached", "greedy"]
            .map(|name| case.golden.reals(&format!("{name}.L64.logits")))
            .into();
        let vocabulary = quirk.len() / 16;
        assert!(max_difference(&quirk[..vocabulary], &correct[..vocabulary]) < F64_BOUND);
        assert!(max_difference(&quirk[vocabulary..], &correct[vocabulary..]) > 0.1);
    }
}

#[test]
fn a_prompt_within_the_window_is_read_correctly() {
    for case in with(Quirk::Hf4RecurrentgemmaPrefill, &GEMMAS) {
        let tokens = case.golden.tokens("tokens.L7");
        let logits = Runner::<f64>::new(&case.checkpoint, 1, 7).all(0, &tokens).concat();
        check(&case, "logits.L7", &logits, F64_BOUND);
    }
}

#[test]
fn faults_of_other_models_are_refused() {
    for (name, quirks, words) in [
        ("rwkv6", &[Quirk::Hf4RecurrentgemmaPrefill][..], "of RecurrentGemma, the model is RWKV-6"),
        ("mamba2", &[Quirk::MambaSsmHybridConvState], "of Mamba2Attention, the model is Mamba2"),
        ("sheared-llama", &[Quirk::RecurrentgemmaWindowPlusOne], "the model is LLaMA"),
        (
            "recurrentgemma",
            &[Quirk::Hf4RecurrentgemmaPrefill, Quirk::RecurrentgemmaWindowPlusOne],
            "are of different libraries",
        ),
    ] {
        let mut checkpoint = super::checkpoint(name);
        let before = *checkpoint.config();
        let refusal = checkpoint.reproduce(quirks).unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
        assert_eq!(*checkpoint.config(), before);
    }
}
