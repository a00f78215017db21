//! Profile `mini` on the built-in corpora: what fits, what grows, and what it writes.
//!
//! The golden is the program's own: it says when prompts change, so that models trained on them
//! and scores made with them can be told apart.

use std::{collections::BTreeMap, fs};

use longseq::{
    corpora::Corpora,
    generate::{Cell, Setup},
    python_json,
    sample::Sample,
    template::Template,
    tokenizer::Tokenizer,
};
use longseq_core::ruler::{
    budget::Fit,
    profile::Profile,
    sizes::MINI,
    task::{Recipe, Task, tasks},
};

const PROFILE: Profile = Profile::Mini;
const LENGTHS: [usize; 4] = [256, 512, 1024, 4096];

/// What prompts are made with: a byte-level BPE of 2,048 tokens that has not seen RULER's texts.
struct Made {
    corpora: Corpora,
    tokenizer: Tokenizer,
    template: Template,
}

impl Made {
    fn new() -> Self {
        let tokenizer = longseq_tests::fixtures().join("ruler/tokenizer.json");
        Self {
            corpora: Corpora::default().with_documents(PROFILE.sizes().document),
            tokenizer: Tokenizer::load(&tokenizer).expect("a tokenizer"),
            template: Template::resolve("base").expect("a template"),
        }
    }

    fn setup(&self) -> Setup<'_> {
        Setup {
            corpora: &self.corpora,
            tokenizer: &self.tokenizer,
            template: &self.template,
            profile: PROFILE,
            seed: 42,
            seeding: PROFILE.seeding(),
            fit: Fit::Exact,
            remove_newline_tab: false,
            pre_samples: 0,
        }
    }

    /// Samples of a cell, with the size of the smallest haystack among them.
    fn samples(&self, task: Task, depth: Option<u8>, length: usize) -> (Vec<Sample>, usize) {
        let cell = Cell::new(task, depth, length, 4).expect("a cell");
        let mut samples = Vec::new();
        let sizes = self.setup().each_sample(&cell, &mut |sample| {
            samples.push(sample);
            Ok(())
        });
        (samples, sizes.expect("samples").smallest)
    }
}

/// The text between a needle prompt's instructions and its question.
fn context(sample: &Sample) -> &str {
    let (_, rest) = sample.input.split_once('\n').expect("instructions");
    rest.rsplit_once('\n').expect("a question").0
}

/// How often each of a text's words appears, most often first.
fn counts<'t>(words: impl Iterator<Item = &'t str>) -> Vec<(usize, &'t str)> {
    let mut counts = BTreeMap::new();
    words.for_each(|word| *counts.entry(word).or_insert(0) += 1);
    let mut counts: Vec<_> = counts.into_iter().map(|(word, count)| (count, word)).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts
}

#[test]
fn every_task_fills_every_length_and_holds_its_answers() {
    let made = Made::new();
    for task in tasks(&MINI) {
        let mut last = 0;
        for length in LENGTHS {
            let (samples, size) = made.samples(task, None, length);
            assert!(size > last, "{} at {length}: {size} after {last}", task.name);
            last = size;
            for sample in samples {
                let at = format!("{} at {length}: {sample:?}", task.name);
                let prefix = sample.answer_prefix.as_deref().expect("a prefix");
                let prompt = format!("{}{prefix}", sample.input);
                let tokens = made.tokenizer.encode(&prompt).expect("ids").len();
                assert_eq!(sample.length, tokens + task.tokens_to_generate(PROFILE), "{at}");
                assert!(sample.length <= length, "{at}");
                // A sentence or two of slack, which weigh most in the shortest prompts.
                assert!(sample.length + 80 + length / 10 > length, "{at}");
                let held = |answer: &String| sample.input.contains(answer.as_str());
                let held = match task.recipe {
                    // Any of the answers is right; some questions want a yes or no.
                    Recipe::QuestionAnswering(_) => {
                        sample.outputs.iter().any(held)
                            || ["yes", "no"].contains(&sample.outputs[0].as_str())
                    }
                    _ => sample.outputs.iter().all(held),
                };
                assert!(held, "{at}");
            }
        }
    }
}

#[test]
fn the_longest_answers_fit_the_tokens_to_generate() {
    let made = Made::new();
    for task in tasks(&MINI) {
        for sample in made.samples(task, None, 512).0 {
            let answer = match task.recipe {
                Recipe::QuestionAnswering(_) => format!(" {}", sample.outputs[0]),
                Recipe::CommonWords => {
                    let numbered = sample.outputs.iter().enumerate();
                    numbered.map(|(i, word)| format!(" {}. {word}", i + 1)).collect()
                }
                _ => format!(" {}.", sample.outputs.join(", and ")),
            };
            let tokens = made.tokenizer.encode(&answer).expect("ids").len();
            assert!(tokens < task.tokens_to_generate(PROFILE), "{}: {answer}", task.name);
        }
    }
}

#[test]
fn depths_put_needles_first_and_last() {
    let made = Made::new();
    for task in &tasks(&MINI)[..8] {
        let Recipe::Needle(needle) = task.recipe else { panic!("{}", task.name) };
        // No needle's sentence is longer.
        let needles = needle.needles() * 120;
        for length in [256, 1024] {
            for depth in [0, 100] {
                for sample in made.samples(*task, Some(depth), length).0 {
                    let context = context(&sample);
                    let found = sample.outputs.iter().map(|answer| context.find(answer.as_str()));
                    for at in found.map(|at| at.expect("an answer")) {
                        let from_end = if depth == 0 { at } else { context.len() - at };
                        assert!(from_end < needles, "{} {length} {depth}: {context}", task.name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_sample_alone_is_that_of_the_run() {
    let made = Made::new();
    for task in tasks(&MINI) {
        let cell = |num_samples| Cell::new(task, None, 512, num_samples).expect("a cell");
        let all = made.setup().samples(&cell(5), &|| {}).expect("samples");
        let alone = Setup { pre_samples: 3, ..made.setup() };
        let alone = alone.samples(&cell(1), &|| {}).expect("a sample");
        assert_eq!(alone, all[3..4], "{}", task.name);
        assert_ne!(all[0].input, all[1].input, "{}", task.name);
    }
}

#[test]
fn the_words_asked_for_are_told_apart() {
    let made = Made::new();
    let [common, frequent] = ["cwe", "fwe"].map(|name| Task::find(PROFILE, name, false));
    for length in [256, 300, 400, 512, 700, 1024, 4096] {
        for sample in made.samples(common.expect("cwe"), None, length).0 {
            let list = sample.input.lines().nth(1).expect("a list");
            let counts = counts(list.split(' ').skip(1).step_by(2));
            assert!(sample.input.ends_with("the 3 most common words in the above list?"));
            assert_eq!(counts[..4].iter().map(|of| of.0).collect::<Vec<_>>(), [4, 4, 4, 1]);
            assert!(counts[..3].iter().all(|of| sample.outputs.contains(&of.1.to_owned())));
        }
        for sample in made.samples(frequent.expect("fwe"), None, length).0 {
            let (_, text) = sample.input.split_once("coded words. ").expect("a text");
            let (text, _) = text.split_once('\n').expect("a question");
            let counts = counts(text.split(' ').filter(|word| *word != "..."));
            let next = counts.get(3).map_or(0, |of| of.0);
            assert!(counts[2].0 > next, "{length}: {counts:?}");
            assert!(counts[..3].iter().all(|of| sample.outputs.contains(&of.1.to_owned())));
        }
    }
}

#[test]
fn lengths_that_are_too_short_say_what_is_enough() {
    let made = Made::new();
    for task in tasks(&MINI) {
        for length in [0, 60, 100] {
            let cell = Cell::new(task, None, length, 2).expect("a cell");
            let error = made.setup().samples(&cell, &|| {}).expect_err("too short").to_string();
            let what = format!("{} does not fit {length} tokens", task.name);
            assert!(error.contains(&what) && error.contains("tokens are enough"), "{error}");
        }
    }
}

/// See `tests/fixtures/ruler/README.md` for the command that makes it again.
#[test]
fn prompts_are_those_of_the_golden() {
    let made = Made::new();
    let golden = fs::read_to_string(longseq_tests::fixtures().join("ruler/mini.jsonl"));
    let golden = golden.expect("a golden");
    let mut tasks = tasks(&MINI);
    tasks.sort_unstable_by_key(|task| task.name);
    let cells = tasks.map(|task| Cell::new(task, None, 256, 1).expect("a cell"));
    let mut written = Vec::new();
    for cell in &cells {
        for sample in made.setup().samples(cell, &|| {}).expect("a sample") {
            python_json::write_line(&mut written, &sample).expect("a line");
        }
    }
    let written = String::from_utf8(written).expect("text");
    assert_eq!(written.lines().count(), 13);
    for ((task, golden), written) in tasks.iter().zip(golden.lines()).zip(written.lines()) {
        assert_eq!(written, golden, "{}", task.name);
    }
    assert_eq!(written, golden);
}
