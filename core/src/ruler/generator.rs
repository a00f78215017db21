//! The generator of one task at one length: `prepare` once, then `sample` after `sample`.

use core::fmt;

use super::budget::{Draws, Family, Fit, GenerateError};
use super::corpus::CountTokens;
use super::needle::Kind;
use super::niah::Niah;
use super::options::{Corpora, Options, Seeding, Workspace};
use super::profile::Profile;
use super::prompt::{Reference, Text};
use super::rng::sample_seed;
use super::search::{self, Cell, Estimate, Method, Most};
use super::task::{Haystack, NeedleTask, Recipe, Task};

/// Stands for the search in [`sample_seed`] where samples have seeds of their own.
const SEARCH: usize = usize::MAX;

/// Writes the prompts of one task at one length.
pub struct Generator<'a> {
    task: Task,
    options: Options<'a>,
    family: Families<'a>,
    cell: Cell,
    draws: Draws,
    size: usize,
    next: usize,
}

enum Families<'a> {
    Niah(Niah<'a>),
}

impl Families<'_> {
    fn get(&mut self) -> &mut dyn Family {
        match self {
            Self::Niah(niah) => niah,
        }
    }
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
        let cell = cell(&task, &options, &corpora);
        let family = match task.recipe {
            Recipe::Needle(needle) => {
                let Workspace { needles, scratch, .. } = workspace;
                let needle = NeedleTask { depth: options.depth.or(needle.depth), ..needle };
                Families::Niah(Niah::new(needle, &options, corpora, needles, scratch)?)
            }
            _ => return Err(GenerateError::Missing { task: task.name, corpus: "a generator" }),
        };
        let seed = seed(&task, &options, SEARCH);
        Ok(Self { task, options, family, cell, draws: Draws::new(seed), size: 0, next: 0 })
    }

    /// Finds the haystack's size. Called once, before the first sample.
    ///
    /// # Errors
    /// See [`GenerateError`].
    pub fn prepare(&mut self, counter: &mut dyn CountTokens) -> Result<usize, GenerateError> {
        self.size = search::size(self.family.get(), &self.cell, &mut self.draws, counter)?;
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
            Seeding::PerSample => self.draws = Draws::new(seed(&self.task, &self.options, index)),
        }
        let family = self.family.get();
        let (length, size) =
            search::sample(family, &self.cell, index, self.size, &mut self.draws, counter)?;
        let prompt = self.family.get().prompt();
        let collapsed = self.options.remove_newline_tab;
        Ok(Draft { text: Text { prompt, answered: false, collapsed }, length, size })
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
    if haystack == Some(Haystack::Essay) && corpora.essays.is_none() {
        Some("essays")
    } else if words && corpora.pairs.is_empty() {
        Some("adjectives and nouns")
    } else {
        None
    }
}

fn seed(task: &Task, options: &Options<'_>, index: usize) -> u64 {
    let seed = u64::from(options.seed);
    match options.seeding {
        Seeding::Run => seed,
        Seeding::PerSample => sample_seed(seed, task.name, options.max_seq_length, index),
    }
}

/// How `task` is fitted to the length: steps and methods of both scripts (SPEC section 2).
fn cell(task: &Task, options: &Options<'_>, corpora: &Corpora<'_>) -> Cell {
    let Options { profile, max_seq_length, model_template_tokens, fit, .. } = *options;
    let short = max_seq_length < 4096;
    let lines = if short { 5 } else { 25 };
    let (ruler, huang2025) = match task.recipe {
        Recipe::Needle(needle) => match needle.haystack {
            Haystack::Essay => (500, needle.step.unwrap_or(50)),
            Haystack::Noise | Haystack::Needles => (lines, needle.step.unwrap_or(lines)),
        },
        Recipe::VariableTracking(Haystack::Essay) => (500, 1),
        Recipe::VariableTracking(_) => (if short { 5 } else { 10 }, 1),
        _ => (10, 1),
    };
    let (step, method) = match profile {
        Profile::Ruler => {
            let (probe, estimate) = match task.recipe {
                Recipe::CommonWords => (4096, Estimate::FlooredDouble),
                _ => (ruler, Estimate::Triple),
            };
            (ruler, Method::Bisect { probe, estimate })
        }
        Profile::Huang2025 => {
            let most = match task.recipe {
                Recipe::Needle(needle) if needle.haystack == Haystack::Essay => {
                    Most::Tried(corpora.essays.as_ref().map_or(0, |essays| essays.words()))
                }
                Recipe::QuestionAnswering(_) => Most::Next(corpora.questions.documents.len()),
                _ => Most::Any,
            };
            (huang2025, Method::StepUp { most })
        }
    };
    Cell {
        task: task.name,
        max_seq_length,
        max: max_seq_length.saturating_sub(model_template_tokens),
        tokens_to_generate: task.tokens_to_generate(),
        fit,
        step,
        method,
        pinned: profile == Profile::Huang2025
            && matches!(task.recipe, Recipe::VariableTracking(_))
            && fit == Fit::Exact,
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
