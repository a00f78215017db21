//! Prompts, scores and statistics.

use std::fmt::{Display, Write as _};

use longseq_core::ruler::corpus::{CountError, CountTokens, WordLists};
use longseq_core::ruler::generator::Generator;
use longseq_core::ruler::needle::Needle;
use longseq_core::ruler::options::{Corpora, Options, Seeding, Workspace};
use longseq_core::ruler::profile::Profile;
use longseq_core::ruler::score::{Metric, Prediction, ScoreSum, round_percent};
use longseq_core::ruler::task::tasks;
use longseq_core::ruler::words::{PairBuffers, PairIndex, Run};
use longseq_core::statistics::{bootstrap, effective_length, mean_of, mean_score, wilson};
use proptest::collection::vec;
use proptest::prelude::*;

use super::choices::Choices;

/// Counts as it likes.
struct Counter {
    bytes_per_token: usize,
    fails: bool,
}

impl CountTokens for Counter {
    fn count(&mut self, text: &dyn Display) -> Result<usize, CountError> {
        let mut written = String::new();
        write!(written, "{text}").map_err(|_| CountError)?;
        if self.fails { Err(CountError) } else { Ok(written.len() / self.bytes_per_token) }
    }
}

fn generate(of: &mut Choices<'_>) {
    let profile = [Profile::Ruler, Profile::Mini, Profile::Huang2025][of.below(3)];
    let task = tasks(profile.sizes())[of.below(13)];
    let seeding = [Seeding::Run, Seeding::PerSample][of.below(2)];
    let options = Options {
        profile,
        max_seq_length: of.near(500).min(2_000),
        seed: of.byte().into(),
        seeding,
        model_template_tokens: of.near(0),
        remove_newline_tab: of.below(2) == 0,
        depth: (of.below(2) == 0).then(|| of.number().into()),
        ..Options::default()
    };
    let words = WordLists {
        adjectives: &["red", "blue", "red-hot", "blue"][..of.below(5)],
        nouns: &["sea", "sky", "sun", "sea"][..of.below(5)],
        verbs: &["go", "run"][..of.below(3)],
        english: &["a", "b", "c"][..of.below(4)],
    };
    let (mut adjectives, mut nouns, mut cursors) = ([0; 4], [0; 4], [0; 4]);
    let mut runs = vec![Run::EMPTY; of.near(16).min(64)];
    let buffers = PairBuffers {
        adjectives: &mut adjectives[..of.near(4).min(4)],
        nouns: &mut nouns[..of.near(4).min(4)],
        cursors: &mut cursors[..of.near(4).min(4)],
        runs: &mut runs,
    };
    let Ok(pairs) = PairIndex::build(words, buffers) else { return };
    let mut needles = vec![Needle::default(); of.near(500).min(2_000)];
    let [mut order, mut picks, mut shuffled, mut scratch] =
        std::array::from_fn(|_| vec![0; of.near(3_000).min(4_000)]);
    let mut names = vec![[0; 6]; of.near(64).min(100)];
    let mut example = vec![0; of.near(4_096).min(5_000)];
    let workspace = Workspace {
        needles: &mut needles,
        order: &mut order,
        picks: &mut picks,
        shuffled: &mut shuffled,
        scratch: &mut scratch,
        names: &mut names,
        example: &mut example,
    };
    let corpora = Corpora { pairs, words, ..Corpora::default() };
    let Ok(mut generator) = Generator::new(task, options, corpora, workspace) else { return };
    let mut counter = Counter { bytes_per_token: 1 + of.below(6), fails: of.below(16) == 0 };
    if of.below(8) > 0 && generator.prepare(&mut counter).is_err() {
        return;
    }
    for _ in 0..2 {
        let Ok(draft) = generator.sample(of.near(0), &mut counter) else { return };
        let text = draft.to_string();
        let references: Vec<String> = draft.references().map(|of| of.to_string()).collect();
        let _ = draft.depths().count();
        let references = || references.iter().map(String::as_str);
        let _ = task.metric().score(Prediction::new(&text), references());
        let _ = task.metric().is_decided(&text, references());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prompts_are_made_or_refused(bytes in vec(any::<u8>(), 0..60)) {
        generate(&mut Choices::new(&bytes));
    }

    #[test]
    fn any_answer_is_scored(answer in any::<String>(), references in vec("\\PC{0,6}", 0..4)) {
        let references = || references.iter().map(String::as_str);
        for metric in [Metric::StringMatchAll, Metric::StringMatchPart] {
            let score = metric.score(Prediction::new(&answer), references());
            prop_assert!(score.is_none_or(|score| (0.0..=1.0).contains(&score)));
            metric.is_decided(&answer, references());
        }
        let _ = Prediction::new(&answer).to_string();
    }

    #[test]
    fn any_numbers_are_summed_up(scores in vec(any::<f64>(), 0..9), n in any::<f64>()) {
        let mut sum = ScoreSum::default();
        scores.iter().for_each(|&score| sum.add(score));
        let _ = sum.percent().map(round_percent);
        let estimates: Vec<_> = scores.iter().map(|&score| wilson(score, n)).collect();
        let _ = (mean_score(&scores), mean_of(&estimates));
        let _ = bootstrap::mean(&[&scores, &[]], &mut [0.0; 7], 1);
        let points: Vec<_> = scores.iter().map(|&score| (score as usize, score)).collect();
        let _ = effective_length::effective_length(&points, n);
    }
}
