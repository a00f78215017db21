//! RULER's 13 tasks and the 36 of the paper's depth ablation, as two tables.

use super::needle::Kind;
use super::profile::Profile;
use super::score::Metric;
use super::sizes::{self, Sizes};
use super::template::{self, TaskText};

/// The text that the needles of a `niah` task, or the statements of `vt`, are put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haystack {
    /// One line of five short sentences, repeated (`noise`; the fork calls it `repeat`).
    Noise,
    /// Essays, cut after so many words.
    Essay,
    /// Lines that look like the needle.
    Needles,
}

/// A needle-in-a-haystack task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeedleTask {
    /// What the needles hide in.
    pub haystack: Haystack,
    /// What a needle's key is.
    pub key: Kind,
    /// What a needle's value is.
    pub value: Kind,
    /// Number of distinct keys.
    pub keys: usize,
    /// Values of each key.
    pub values: usize,
    /// Keys asked for.
    pub queries: usize,
    /// All needles at this fraction of the haystack, in [0, 1], rather than at random.
    pub depth: Option<f64>,
    /// Words or lines by which the fork's depth ablation steps, where it is not the usual step.
    pub step: Option<usize>,
}

impl NeedleTask {
    /// Number of needles.
    pub const fn needles(&self) -> usize {
        self.keys * self.values
    }
}

/// A question-answering corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dataset {
    /// SQuAD 2.0: one paragraph answers.
    Squad,
    /// HotpotQA, distractor setting: ten paragraphs, two of which answer together.
    HotpotQa,
}

/// Which generator writes a task, and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recipe {
    /// Needles in a haystack.
    Needle(NeedleTask),
    /// Variable tracking: one chain of assignments.
    VariableTracking(Haystack),
    /// Common words: a few appear more often than the others.
    CommonWords,
    /// Frequent words: coded words whose counts follow a zeta distribution with exponent 2.
    FrequentWords,
    /// Question answering among distracting documents.
    QuestionAnswering(Dataset),
}

/// A task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// RULER's name of the task.
    pub name: &'static str,
    /// How its prompts are made.
    pub recipe: Recipe,
}

impl Task {
    /// Tokens that an answer may take in `profile`; the length budget counts them.
    pub const fn tokens_to_generate(&self, profile: Profile) -> usize {
        let answers = profile.sizes().answers;
        match self.recipe {
            Recipe::Needle(_) => answers.needle,
            Recipe::VariableTracking(_) => answers.tracking,
            Recipe::CommonWords => answers.common,
            Recipe::FrequentWords => answers.frequent,
            Recipe::QuestionAnswering(_) => answers.question,
        }
    }

    /// How its answers are scored.
    pub const fn metric(&self) -> Metric {
        match self.recipe {
            Recipe::QuestionAnswering(_) => Metric::StringMatchPart,
            _ => Metric::StringMatchAll,
        }
    }

    /// Its prompt in `profile`.
    pub const fn text(&self, profile: Profile) -> TaskText {
        match self.recipe {
            Recipe::Needle(_) => template::NEEDLE,
            Recipe::VariableTracking(_) => template::variable_tracking(profile),
            Recipe::CommonWords => template::COMMON_WORDS,
            Recipe::FrequentWords => template::FREQUENT_WORDS,
            Recipe::QuestionAnswering(_) => template::QUESTION_ANSWERING,
        }
    }

    /// The task called `name` in `profile`. `correct_uuids` puts UUIDs where the fork's depth
    /// ablation says UUIDs and writes 7-digit numbers (see [`DEPTH_TASKS`]).
    pub fn find(profile: Profile, name: &str, correct_uuids: bool) -> Option<Self> {
        let depth_tasks = match profile {
            Profile::Ruler | Profile::Mini => &[][..],
            Profile::Huang2025 => &DEPTH_TASKS[..],
        };
        let tasks = tasks(profile.sizes());
        let found = tasks.iter().chain(depth_tasks).find(|task| task.name == name)?;
        Some(if correct_uuids { found.with_uuids_corrected() } else { *found })
    }

    /// Whether the published configuration of this task gives its needles another kind of value
    /// than its name says.
    pub fn has_uuid_fault(&self) -> bool {
        let said = self.name.starts_with("niah_essay_uuids");
        matches!(self.recipe, Recipe::Needle(needle) if said && needle.value != Kind::Uuids)
    }

    fn with_uuids_corrected(mut self) -> Self {
        if self.has_uuid_fault()
            && let Recipe::Needle(needle) = &mut self.recipe
        {
            needle.value = Kind::Uuids;
        }
        self
    }
}

const fn needle(haystack: Haystack, key: Kind, value: Kind) -> NeedleTask {
    NeedleTask { haystack, key, value, keys: 1, values: 1, queries: 1, depth: None, step: None }
}

const ESSAY: NeedleTask = needle(Haystack::Essay, Kind::Words, Kind::Numbers);

const fn task(name: &'static str, recipe: Recipe) -> Task {
    Task { name, recipe }
}

/// RULER's tasks (`synthetic.yaml`), in its order.
pub const TASKS: [Task; 13] = tasks(&sizes::RULER);

/// The 13 tasks in `sizes`.
pub const fn tasks(sizes: &Sizes) -> [Task; 13] {
    use Haystack::{Needles, Noise};
    use Kind::{Numbers, Words};
    let several = sizes.needles;
    let (uuids, queries) = (several.uuids, several.queries);
    [
        task("niah_single_1", Recipe::Needle(needle(Noise, Words, Numbers))),
        task("niah_single_2", Recipe::Needle(ESSAY)),
        task("niah_single_3", Recipe::Needle(needle(Haystack::Essay, Words, uuids))),
        task("niah_multikey_1", Recipe::Needle(NeedleTask { keys: several.keys, ..ESSAY })),
        task("niah_multikey_2", Recipe::Needle(needle(Needles, Words, Numbers))),
        task("niah_multikey_3", Recipe::Needle(needle(Needles, uuids, uuids))),
        task("niah_multivalue", Recipe::Needle(NeedleTask { values: several.values, ..ESSAY })),
        // One key is configured; as many keys as queries are made.
        task("niah_multiquery", Recipe::Needle(NeedleTask { keys: queries, queries, ..ESSAY })),
        task("vt", Recipe::VariableTracking(Noise)),
        task("cwe", Recipe::CommonWords),
        task("fwe", Recipe::FrequentWords),
        task("qa_1", Recipe::QuestionAnswering(Dataset::Squad)),
        task("qa_2", Recipe::QuestionAnswering(Dataset::HotpotQa)),
    ]
}

const fn at(needle: NeedleTask, depth: Option<f64>) -> Recipe {
    Recipe::Needle(NeedleTask { depth, step: Some(5), ..needle })
}

macro_rules! by_depth {
    ($($prefix:literal, $random:expr, $fixed:expr;)*) => { [$(
        task(concat!($prefix, "_random"), at($random, None)),
        task(concat!($prefix, "_0"), at($fixed, Some(0.0))),
        task(concat!($prefix, "_10"), at($fixed, Some(0.1))),
        task(concat!($prefix, "_20"), at($fixed, Some(0.2))),
        task(concat!($prefix, "_30"), at($fixed, Some(0.3))),
        task(concat!($prefix, "_40"), at($fixed, Some(0.4))),
        task(concat!($prefix, "_50"), at($fixed, Some(0.5))),
        task(concat!($prefix, "_60"), at($fixed, Some(0.6))),
        task(concat!($prefix, "_70"), at($fixed, Some(0.7))),
        task(concat!($prefix, "_80"), at($fixed, Some(0.8))),
        task(concat!($prefix, "_90"), at($fixed, Some(0.9))),
        task(concat!($prefix, "_100"), at($fixed, Some(1.0))),
    )*] };
}

/// The fork's depth ablation (`niah_depth_ablation.yaml`), in its order and as published:
/// every `niah_essay_uuids_<depth>` has numbers for values, `niah_essay_uuids_random` UUIDs.
pub const DEPTH_TASKS: [Task; 36] = by_depth! {
    "niah_repeat_numbers",
        needle(Haystack::Noise, Kind::Words, Kind::Numbers),
        needle(Haystack::Noise, Kind::Words, Kind::Numbers);
    "niah_essay_numbers", ESSAY, ESSAY;
    "niah_essay_uuids", needle(Haystack::Essay, Kind::Words, Kind::Uuids), ESSAY;
};
