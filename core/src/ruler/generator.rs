//! The generator of one task at one length: `prepare` once, then `sample` after `sample`.

use core::fmt;

use super::budget::{Draws, Family, GenerateError};
use super::cell::Cell;
use super::common_words::CommonWords;
use super::corpus::CountTokens;
use super::frequent_words::FrequentWords;
use super::needle::Kind;
use super::niah::Niah;
use super::options::{Corpora, Options, Seeding, Workspace};
use super::prompt::{Prompt, Reference, Text};
use super::question_answering::QuestionAnswering;
use super::rng::sample_seed;
use super::search;
use super::task::{Haystack, NeedleTask, Recipe, Task};
use super::variable_tracking::VariableTracking;

/// Stands for the search in [`sample_seed`] where samples have seeds of their own, on 32 bits as on 64.
const SEARCH: u64 = u64::MAX;

/// Writes the prompts of one task at one length.
pub struct Generator<'a> {
    task: Task,
    options: Options<'a>,
    questions: usize,
    family: Families<'a>,
    cell: Cell,
    draws: Draws,
    size: usize,
    next: usize,
}

#[expect(clippy::large_enum_variant, reason = "there is one, and no heap to box it in")]
enum Families<'a> {
    Niah(Niah<'a>),
    VariableTracking(VariableTracking<'a>),
    CommonWords(CommonWords<'a>),
    FrequentWords(FrequentWords<'a>),
    QuestionAnswering(QuestionAnswering<'a>),
}

impl<'a> Generator<'a> {
    /// A generator of `task`'s prompts. Nothing is drawn yet.
    ///
    /// # Errors
    /// A corpus that the task needs is missing or empty, or a buffer is too small.
    pub fn new(
        task: Task,
        options: Options<'a>,
        corpora: Corpora<'a>,
        workspace: Workspace<'a>,
    ) -> Result<Self, GenerateError> {
        if let Some(corpus) = missing(&task, &corpora) {
            return Err(GenerateError::Missing { task: task.name, corpus });
        }
        let questions = corpora.questions.questions.len();
        let mut most = corpora.questions.documents.len();
        let family = match task.recipe {
            Recipe::Needle(needle) => {
                most = corpora.essays.as_ref().map_or(0, |essays| essays.words());
                let needle = NeedleTask { depth: options.depth.or(needle.depth), ..needle };
                Families::Niah(Niah::new(needle, &options, corpora, workspace)?)
            }
            Recipe::VariableTracking(haystack) => Families::VariableTracking(
                VariableTracking::new(haystack, &options, corpora, workspace),
            ),
            Recipe::CommonWords => {
                let family = CommonWords::new(&options, &corpora, workspace)?;
                most = family.words();
                Families::CommonWords(family)
            }
            Recipe::FrequentWords => {
                Families::FrequentWords(FrequentWords::new(task, &options, workspace)?)
            }
            Recipe::QuestionAnswering(_) => {
                Families::QuestionAnswering(QuestionAnswering::new(&options, &corpora, workspace)?)
            }
        };
        let cell = Cell::new(&task, &options, most);
        let seed = seed(&task, &options, SEARCH);
        let draws = Draws::new(seed);
        Ok(Self { task, options, questions, family, cell, draws, size: 0, next: 0 })
    }

    /// Finds the haystack's size. Called once, before the first sample.
    ///
    /// # Errors
    /// See [`GenerateError`].
    pub fn prepare(&mut self, counter: &mut dyn CountTokens) -> Result<usize, GenerateError> {
        let (cell, draws) = (&self.cell, &mut self.draws);
        let family: &mut dyn Family = match &mut self.family {
            Families::FrequentWords(family) => {
                self.size = family.prepare(draws, counter)?;
                return Ok(self.size);
            }
            Families::VariableTracking(family) => {
                if let Some(example) = self.options.profile.sizes().tracking.example {
                    let example = Cell::of_example(&self.task, &self.options, example);
                    let size = search::size(family, &example, draws, counter)?;
                    search::sample(family, &example, 0, size, draws, counter)?;
                    family.keep_example()?;
                    family.set_example_tokens(counter.count(&family.example())?);
                }
                family
            }
            Families::Niah(family) => family,
            Families::CommonWords(family) => family,
            Families::QuestionAnswering(family) => family,
        };
        self.size = search::size(family, cell, draws, counter)?;
        Ok(self.size)
    }

    /// Draws sample `index`, counted from zero. With [`Seeding::Run`] samples come in order.
    ///
    /// # Errors
    /// See [`GenerateError`].
    pub fn sample(
        &mut self,
        index: usize,
        counter: &mut dyn CountTokens,
    ) -> Result<Draft<'_>, GenerateError> {
        match self.options.seeding {
            Seeding::Run if index != self.next => {
                return Err(GenerateError::Order { next: self.next, asked: index });
            }
            Seeding::Run => self.next += 1,
            Seeding::PerSample => {
                self.draws = Draws::new(seed(&self.task, &self.options, index as u64))
            }
        }
        let collapsed = self.options.remove_newline_tab;
        let (cell, draws, size) = (&self.cell, &mut self.draws, self.size);
        let family: &mut dyn Family = match &mut self.family {
            Families::FrequentWords(family) => {
                let (length, size) = family.sample(size, draws, counter)?;
                let prompt = Prompt::FrequentWords(family.prompt());
                return Ok(Draft {
                    text: Text { prompt, answered: false, collapsed },
                    length,
                    size,
                });
            }
            Families::VariableTracking(family) => family,
            Families::Niah(family) => family,
            Families::CommonWords(family) => family,
            Families::QuestionAnswering(family) => {
                let asked = index + self.options.pre_samples;
                if asked >= self.questions {
                    let (task, available) = (self.task.name, self.questions);
                    return Err(GenerateError::Questions { task, asked, available });
                }
                family
            }
        };
        let (length, size) = search::sample(family, cell, index, size, draws, counter)?;
        let text = Text { prompt: family.prompt(), answered: false, collapsed };
        Ok(Draft { text, length, size })
    }
}

/// The corpus that `task` needs and that is not there or empty.
fn missing(task: &Task, corpora: &Corpora<'_>) -> Option<&'static str> {
    let haystack = match task.recipe {
        Recipe::Needle(needle) => Some(needle.haystack),
        Recipe::VariableTracking(haystack) => Some(haystack),
        _ => None,
    };
    let words = matches!(task.recipe, Recipe::Needle(needle)
        if needle.key == Kind::Words || needle.value == Kind::Words);
    let lists = &corpora.words;
    let questions = &corpora.questions;
    if haystack == Some(Haystack::Essay)
        && corpora.essays.as_ref().is_none_or(|essays| essays.words() == 0)
    {
        Some("essays")
    } else if words && corpora.pairs.is_empty() {
        Some("adjectives and nouns")
    } else if task.recipe == Recipe::CommonWords
        && [lists.nouns, lists.adjectives, lists.verbs].iter().all(|list| list.is_empty())
    {
        Some("words")
    } else if matches!(task.recipe, Recipe::QuestionAnswering(_))
        && (questions.questions.is_empty() || questions.documents.is_empty())
    {
        Some("questions and documents")
    } else {
        None
    }
}

fn seed(task: &Task, options: &Options<'_>, index: u64) -> u64 {
    let seed = u64::from(options.seed);
    match options.seeding {
        Seeding::Run => seed,
        Seeding::PerSample => sample_seed(seed, task.name, options.max_seq_length, index),
    }
}

/// A drawn sample. Its [`Display`](fmt::Display) is the whole prompt, answer prefix included.
#[derive(Clone, Copy)]
pub struct Draft<'d> {
    text: Text<'d>,
    length: usize,
    size: usize,
}

impl<'d> Draft<'d> {
    /// Texts that a right answer contains.
    pub fn references(&self) -> impl Iterator<Item = Reference<'d>> {
        self.text.prompt.references()
    }

    /// Tokens of the prompt plus the tokens to generate, as RULER counts them.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Words, lines or documents of the haystack.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where needles went, in their order in the text, as fractions of the haystack in [0, 1].
    /// Empty for tasks without needles.
    pub fn depths(&self) -> impl Iterator<Item = f64> {
        let prompt = self.text.prompt;
        (0..).map_while(move |index| prompt.depth(index))
    }
}

impl fmt::Display for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
