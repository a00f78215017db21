//! What a caller decides and gives: options, corpora and buffers.

use super::budget::Fit;
use super::corpus::{Essays, QuestionSet, WordLists};
use super::needle::Needle;
use super::profile::Profile;
use super::task::{Haystack, Recipe, Task};
use super::template::ModelTemplate;
use super::words::PairIndex;

/// Which draws a sample depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seeding {
    /// One stream for the whole run, as in RULER: each sample continues where the one before
    /// ended, and every shuffle of a run is the same permutation.
    #[default]
    Run,
    /// Each sample has a seed of its own ([`super::rng::sample_seed`]), and so do the search for
    /// the size and `vt`'s example: sample `i` is the same whichever others are made.
    PerSample,
}

/// How prompts are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Whose generator.
    pub profile: Profile,
    /// Tokens of prompt and answer together, at most.
    pub max_seq_length: usize,
    /// The run's seed: of chunk `c` of a run, RULER's seed plus `c`.
    pub seed: u32,
    /// Questions already used by chunks before this one (`qa_*`).
    pub pre_samples: usize,
    /// The model's template.
    pub model_template: ModelTemplate<'a>,
    /// Tokens reserved for a model template that is not part of the prompt
    /// (RULER's `--model_template_token`).
    pub model_template_tokens: usize,
    /// White space collapsed to single spaces in the finished prompt.
    pub remove_newline_tab: bool,
    /// What to do where the smallest haystack is too long.
    pub fit: Fit,
    /// Which draws a sample depends on.
    pub seeding: Seeding,
    /// All needles of a `niah` task at this fraction of the haystack, in [0, 1], instead of where
    /// the task says.
    pub depth: Option<f64>,
}

/// What prompts are made of. A task needs only what its recipe names.
#[derive(Default)]
pub struct Corpora<'a> {
    /// Essays.
    pub essays: Option<&'a mut dyn Essays>,
    /// The adjective-noun pairs.
    pub pairs: PairIndex<'a>,
    /// The word lists.
    pub words: WordLists<'a>,
    /// The questions of the task's data set.
    pub questions: QuestionSet<'a>,
}

/// Buffers of a generator; [`Needs`] says how large.
#[derive(Debug, Default)]
pub struct Workspace<'a> {
    /// Lines of a haystack of needles.
    pub needles: &'a mut [Needle],
    /// Order of a prompt's words or documents.
    pub order: &'a mut [u32],
    /// Words or documents picked.
    pub picks: &'a mut [u32],
    /// The corpus's words or documents in the run's order.
    pub shuffled: &'a mut [u32],
    /// Scratch of [`super::rng::Random::sample`].
    pub scratch: &'a mut [u32],
    /// Coded words.
    pub names: &'a mut [[u8; 6]],
    /// Text of the worked example of `vt`.
    pub example: &'a mut [u8],
}

/// Lengths of the buffers of a [`Workspace`], in elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Of `needles`.
    pub needles: usize,
    /// Of `order`.
    pub order: usize,
    /// Of `picks`.
    pub picks: usize,
    /// Of `shuffled`.
    pub shuffled: usize,
    /// Of `scratch`.
    pub scratch: usize,
    /// Of `names`.
    pub names: usize,
    /// Of `example`.
    pub example: usize,
}

impl Needs {
    /// What `task` needs at `max_seq_length` tokens with corpora of these sizes: enough for any
    /// tokenizer that takes three tokens or more for a line or a document and one for a word.
    /// With one that takes fewer, the generator says which buffer was too small.
    pub fn of(task: &Task, max_seq_length: usize, words: &WordLists<'_>, documents: usize) -> Self {
        // The search tries half as much again as fits; `vt`'s example is made for 500 tokens.
        let tokens = max_seq_length.max(512);
        let lists = words.nouns.len() + words.adjectives.len() + words.verbs.len();
        let none = Self { scratch: tokens + 1024, ..Self::default() };
        match task.recipe {
            Recipe::Needle(task) if task.haystack == Haystack::Needles => {
                Self { needles: tokens / 2 + 64, ..none }
            }
            Recipe::Needle(_) => none,
            Recipe::VariableTracking(_) => Self { example: 1 << 16, ..none },
            Recipe::CommonWords => Self {
                order: 2 * tokens + (1 << 14),
                picks: 2 * tokens + (1 << 13),
                shuffled: lists,
                scratch: lists.max(words.english.len()).max(64),
                ..none
            },
            Recipe::FrequentWords => {
                Self { order: 2 * tokens + 1024, names: tokens / 50 + 1, ..none }
            }
            Recipe::QuestionAnswering(_) => Self {
                order: 2 * tokens + 64,
                picks: documents,
                shuffled: documents,
                scratch: documents.max(64),
                ..none
            },
        }
    }
}
