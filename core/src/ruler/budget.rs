//! The length budget: how large a haystack may be, and what happens when a prompt is too long.
//!
//! NVIDIA/RULER bisects for the largest haystack that fits; the fork of Huang (2025) steps up
//! until one does not. A sample that turns out too long is drawn again with a haystack smaller by
//! one step. Where it can shrink no more the scripts draw for ever; here at most [`REDRAWS`]
//! times, then a [`BudgetError`]. Every search and every failed try draws, so the number of tries
//! is part of what is reproduced. Source: docs/ruler.md §2, Surprises 2, 5, 9 and 10.
//!
//! [`Fit::Shrink`] goes on where the scripts would not end: below one step, down to the smallest
//! haystack that holds the task. Wherever the scripts end it changes nothing.

use core::fmt;

use super::corpus::CountError;
use super::prompt::{Prompt, Text};
use super::rng::{NumpyRandom, Random};
use crate::error::CapacityError;

/// How often a prompt whose haystack can't shrink is drawn again.
pub const REDRAWS: usize = 1000;

/// What to do where a task's smallest haystack is too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// A [`BudgetError`].
    #[default]
    Exact,
    /// A smaller haystack than RULER's smallest.
    Shrink,
}

/// A task does not fit a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetError {
    /// The task.
    pub task: &'static str,
    /// The length asked for, in tokens.
    pub max_seq_length: usize,
    /// The shortest prompt that was drawn, with the tokens to generate.
    pub shortest: usize,
    /// A length that is enough for the smallest haystack, measured on a few prompts: some tokens
    /// more may be needed for all.
    pub fits: usize,
    /// The same for the smallest haystack that [`Fit::Shrink`] allows; less than `fits` where that
    /// would help.
    pub shrunk: usize,
}

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, max_seq_length, shortest, .. } = self;
        write!(f, "{task} does not fit {max_seq_length} tokens: its shortest prompt and answer ")?;
        write!(f, "take {shortest}")
    }
}

impl core::error::Error for BudgetError {}

/// Why no prompt could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerateError {
    /// The task does not fit the length.
    Budget(BudgetError),
    /// A buffer of the workspace is too small.
    Capacity(CapacityError),
    /// The tokenizer failed.
    Count(CountError),
    /// The task needs a corpus that was not given, or that is empty.
    Missing {
        /// The task.
        task: &'static str,
        /// The corpus.
        corpus: &'static str,
    },
    /// The corpus holds fewer questions than samples were asked for.
    Questions {
        /// The task.
        task: &'static str,
        /// Number of the first question that is missing, from zero.
        asked: usize,
        /// Questions in the corpus.
        available: usize,
    },
    /// With one seed for a whole run, samples come in order.
    Order {
        /// The sample whose turn it is.
        next: usize,
        /// The sample asked for.
        asked: usize,
    },
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget(error) => error.fmt(f),
            Self::Capacity(error) => error.fmt(f),
            Self::Count(error) => error.fmt(f),
            Self::Missing { task, corpus } => write!(f, "{task} needs {corpus}"),
            Self::Questions { task, asked, available } => {
                write!(f, "{task}: question {asked} of a corpus of {available}, counted from 0")
            }
            Self::Order { next, asked } => {
                write!(f, "sample {asked} asked for where sample {next} is next")
            }
        }
    }
}

impl core::error::Error for GenerateError {}

impl From<BudgetError> for GenerateError {
    fn from(error: BudgetError) -> Self {
        Self::Budget(error)
    }
}

impl From<CapacityError> for GenerateError {
    fn from(error: CapacityError) -> Self {
        Self::Capacity(error)
    }
}

impl From<CountError> for GenerateError {
    fn from(error: CountError) -> Self {
        Self::Count(error)
    }
}

/// The generators that a run or a sample draws from.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    pub(crate) random: Random,
    pub(crate) numpy: NumpyRandom,
    seed: u64,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), numpy: NumpyRandom::new(seed as u32), seed }
    }

    /// `random.Random(seed)`, as the scripts make one for each shuffle.
    pub(crate) fn private(&self) -> Random {
        Random::new(self.seed)
    }
}

/// What a prompt is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The search for the haystack's size.
    Search,
    /// Sample so-and-so.
    Sample(usize),
}

/// A prompt to be drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) target: Target,
    /// Words, lines or documents of the haystack.
    pub(crate) size: usize,
    pub(crate) fit: Fit,
}

/// Why a prompt was not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrawError {
    /// Two names are equal; the next draw will hardly have that.
    Unlucky,
    /// The haystack is too small for the task.
    TooSmall,
    /// The corpus is too small for the haystack.
    TooLarge,
    Capacity(CapacityError),
}

impl From<CapacityError> for DrawError {
    fn from(error: CapacityError) -> Self {
        Self::Capacity(error)
    }
}

/// A family of tasks whose prompts hold a haystack of some size.
pub(crate) trait Family {
    /// Draws a prompt.
    fn draw(&mut self, draws: &mut Draws, request: Request) -> Result<(), DrawError>;

    /// The prompt drawn last.
    fn prompt(&mut self) -> Prompt<'_>;

    /// What the budget counts of the prompt drawn last.
    fn counted(&mut self, target: Target) -> Counted<'_>;

    /// The smallest haystack that can be drawn.
    fn floor(&self, target: Target, fit: Fit) -> usize;
}

/// What the budget counts: the tokens of `text`, and `extra` more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'d> {
    pub(crate) text: Text<'d>,
    pub(crate) extra: usize,
}
