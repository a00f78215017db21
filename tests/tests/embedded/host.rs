//! The program without `std` against the host's tokenizer, generator and engine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use longseq::checkpoint::Checkpoint;
use longseq::corpora::Corpora;
use longseq::generate::{Cell, Setup};
use longseq::template::Template;
use longseq::tokenizer::Tokenizer;
use longseq_core::ruler::{budget::Fit, profile::Profile, task::Task};
use longseq_embedded::hash::Hash;
use longseq_embedded::image::Image;
use longseq_embedded::memory::Memory;
use longseq_embedded::program::{Device, run};
use longseq_embedded::tokenizer;
use longseq_tests::flash;
use longseq_tests::runner::Runner;
use proptest::prelude::*;

struct Host;

impl Device for Host {
    fn instructions(&mut self) -> Option<u64> {
        None
    }
}

fn mini(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-cli/models/mini").join(name)
}

/// What the program prints.
fn printed(image: &Image<'_>, command: &str) -> String {
    // As a firmware has it: too large for a stack.
    static MEMORY: Mutex<Memory<300_000, 40_000>> = Mutex::new(Memory::new());
    let (mut memory, mut out) = (MEMORY.lock().expect("memory"), String::new());
    if let Err(failure) = run(command, image, &mut memory, &mut out, &mut Host) {
        let _ = writeln!(out, "error: {failure}");
    }
    out
}

fn line<'o>(output: &'o str, start: &str) -> &'o str {
    let found = output.lines().find_map(|line| line.strip_prefix(start));
    found.unwrap_or_else(|| panic!("no `{start}` in {output}"))
}

fn ids(tokenizer: &tokenizer::Tokenizer<'_>, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer
        .encode(text, &mut |id| {
            ids.push(id);
            Ok(())
        })
        .expect("tokens");
    ids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn ascii_has_the_host_s_tokens(text in "[ -~\t\n]{0,200}|([a-z]{1,9}[ .,:-]{1,2}){0,40}") {
        let (image, host) = &*TOKENIZERS;
        let found = ids(&tokenizer::Tokenizer::new(image), &text);
        prop_assert_eq!(found, host.encode(&text).expect("tokens"));
    }
}

/// The image's and the host's.
static TOKENIZERS: LazyLock<(Image<'static>, Tokenizer)> = LazyLock::new(|| {
    let folder = mini("mamba2");
    (flash::image(&folder).expect("image"), Tokenizer::load(&folder).expect("tokenizer"))
});

#[test]
fn other_text_is_refused() {
    let refused = tokenizer::Tokenizer::new(&TOKENIZERS.0).encode("naïve", &mut |_| Ok(()));
    assert_eq!(refused.expect_err("ï").to_string(), "byte 2 of the text is not ASCII");
}

/// Prompt, first tokens and text of every family are those of the host.
#[test]
fn samples_are_the_host_s() {
    for name in ["mamba2", "mamba2attn", "transformerpp", "rwkv6", "recurrentgemma"] {
        let image = flash::image(&mini(name)).expect("image");
        let output = printed(&image, "sample niah_single_1 256 42 0");
        let (prompt, reference) = host_prompt(name, 42);
        let mut hash = Hash::default();
        hash.bytes(prompt.as_bytes());
        assert!(line(&output, "prompt ").ends_with(&format!("{:016x}", hash.value())), "{output}");
        assert_eq!(line(&output, "reference "), reference);

        let host = Tokenizer::load(&mini(name)).expect("tokenizer");
        let mut next = host.encode_prompt(&prompt).expect("tokens").ids;
        let checkpoint = Checkpoint::open(&mini(name)).expect("checkpoint");
        let (mut runner, mut answer) = (Runner::<f32>::new(&checkpoint, 1, 300), Vec::new());
        while answer.len() < 32 {
            let logits = runner.forward(&[(0, &next)], &[next.len() - 1]).expect("logits");
            let best = (0..logits[0].len()).max_by(|&a, &b| logits[0][a].total_cmp(&logits[0][b]));
            let token = best.expect("tokens") as u32;
            if checkpoint.end_of_text().contains(&token) {
                break;
            }
            answer.push(token);
            next = vec![token];
        }
        assert_eq!(line(&output, "answer "), format!("{answer:?}"), "{name}");
        let text = host.decode(&answer, true).expect("text");
        assert_eq!(line(&output, "text "), format!("{text:?}"), "{name}");
        let score = if text.contains(&reference) { "1" } else { "0" };
        assert_eq!(line(&output, "score "), score, "{name}");
    }
}

/// The sample that `longseq generate` writes, and its reference.
fn host_prompt(name: &str, seed: u32) -> (String, String) {
    let tokenizer = Tokenizer::load(&mini(name)).expect("tokenizer");
    let template = Template::resolve("base").expect("template");
    let profile = Profile::Mini;
    let setup = Setup {
        corpora: &Corpora::default(),
        tokenizer: &tokenizer,
        template: &template,
        profile,
        seed,
        seeding: profile.seeding(),
        fit: Fit::Exact,
        remove_newline_tab: false,
        pre_samples: 0,
    };
    let task = Task::find(profile, "niah_single_1", false).expect("task");
    let cell = Cell::new(task, None, 256, 1).expect("cell");
    let sample = setup.samples(&cell, &|| {}).expect("samples").remove(0);
    let prompt = format!("{}{}", sample.input, sample.answer_prefix.unwrap_or_default());
    (prompt, sample.outputs[0].clone())
}
